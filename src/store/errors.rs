//! The store's failures as the errors of what is built on it. The errors themselves know of no store.

use super::{FromStore, StoreError};
use crate::error::{CallError, ProviderError};

static BUSY: StoreError = StoreError::Busy;

impl From<StoreError> for ProviderError {
    fn from(error: StoreError) -> Self {
        if error.is_passing() {
            return Self::StoreBusy;
        }
        Self::Store(Box::new(error))
    }
}

impl From<StoreError> for CallError {
    fn from(error: StoreError) -> Self {
        if error.is_passing() {
            return Self::Provider(ProviderError::StoreBusy);
        }
        if error.may_be_committed() {
            return Self::StoreLost { what: "whether it kept what this call gave it is not known", source: Box::new(error) };
        }
        Self::Store(Box::new(error))
    }
}

impl FromStore for ProviderError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) => error.downcast_ref(),
            Self::StoreBusy => Some(&BUSY),
            _ => None,
        }
    }
}

impl FromStore for CallError {
    fn store_error(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) | Self::StoreLost { source: error, .. } => error.downcast_ref(),
            Self::Provider(ProviderError::StoreBusy) => Some(&BUSY),
            _ => None,
        }
    }
}
