//! Errors, as the gateway writes them.

use serde_json::{Map, Value, json};

use super::{Answer, Gateway, Quirks};

/// The status codes of gRPC that the service uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    InvalidArgument = 3,
    NotFound = 5,
    AlreadyExists = 6,
    PermissionDenied = 7,
    FailedPrecondition = 9,
    Internal = 13,
    Unauthenticated = 16,
}

impl Code {
    fn status(self) -> u16 {
        match self {
            Self::InvalidArgument | Self::FailedPrecondition => 400,
            Self::Unauthenticated => 401,
            Self::PermissionDenied => 403,
            Self::NotFound => 404,
            Self::AlreadyExists => 409,
            Self::Internal => 500,
        }
    }
}

/// Why a call is not answered as it asked.
#[derive(Debug)]
pub(super) struct Refusal {
    code: Code,
    reason: &'static str,
    message: String,
    suggestion: Option<&'static str>,
    error_number: Option<&'static str>,
}

impl Refusal {
    pub(super) fn new(code: Code, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), suggestion: None, error_number: None }
    }

    pub(super) fn suggesting(mut self, suggestion: &'static str) -> Self {
        self.suggestion = Some(suggestion);
        self
    }

    pub(super) fn missing(kind: &str, id: &str) -> Self {
        Self::new(Code::NotFound, "NOT_FOUND", format!("{kind} {id} not found"))
    }

    pub(super) fn denied(needs: &str) -> Self {
        Self::new(Code::PermissionDenied, "PERMISSION_DENIED", format!("{needs} required"))
    }

    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, "INVALID_ARGUMENT", message)
    }

    pub(super) fn unauthenticated(reason: &'static str, message: &str) -> Self {
        Self::new(Code::Unauthenticated, reason, message)
    }

    pub(super) fn internal() -> Self {
        Self { error_number: Some("7-0412"), ..Self::new(Code::Internal, "INTERNAL_ERROR", "something went wrong") }
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(Code::NotFound, "NOT_FOUND", "Not Found")
    }

    pub(super) fn answer(&self, quirks: &Quirks) -> Answer {
        let metadata: Map<String, Value> = self.error_number.map(|it| ("error_number".to_owned(), it.into())).into_iter().collect();
        let mut details = vec![json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": self.reason,
            "domain": "api.aiaengine.com",
            "metadata": metadata,
        })];
        if let Some(suggestion) = self.suggestion {
            details.push(json!({ "@type": "type.googleapis.com/aiaengine.api.SuggestionInfo", "suggestion": suggestion }));
        }
        if quirks.debug_info {
            let lines = match quirks.gateway {
                Gateway::Older => "stack_entries",
                Gateway::Newer => "stackEntries",
            };
            details.push(json!({
                "@type": "type.googleapis.com/google.rpc.DebugInfo",
                lines: ["engine-test-stack at service/internal.go:42"],
                "detail": "engine-test-debug",
            }));
        }
        let mut body = json!({ "code": self.code as u32, "message": self.message, "details": details });
        if quirks.gateway == Gateway::Older {
            body["error"] = self.message.as_str().into();
        }
        Answer::json(self.code.status(), &body)
    }
}
