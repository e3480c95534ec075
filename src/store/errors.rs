//! The store's failures as the errors of what is built on it. The errors themselves know of no store.

use super::{FromStore, StoreError};
use crate::error::{CallError, ProviderError};

impl From<StoreError> for ProviderError {
    fn from(error: StoreError) -> Self {
        Self::Store(Box::new(error))
    }
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        if error.may_be_committed() {
            return Self::StoreLost { what: "whether it kept what this call gave it is not known", source: Box::new(error) };
        }
        Self::Store(Box::new(error))
    }
}

impl FromStore for ProviderError {
    fn store_error(&self) -> Option<&StoreError> {
        if let Self::Store(error) = self { error.downcast_ref() } else { None }
    }
}

impl FromStore for CallError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) | Self::StoreLost { source: error, .. } => error.downcast_ref(),
            _ => None,
        }
    }
}
