//! A real waker per actor, so that a future unknown to the kernel (a channel, a madsim timer) can still wake the actor
//! that awaits it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

/// Remembers that it fired, and wakes the kernel if that is asleep.
#[derive(Default)]
pub(crate) struct Alarm {
    rang: AtomicBool,
    kernel: Mutex<Option<Waker>>,
}

impl Alarm {
    pub(crate) fn take(&self) -> bool {
        // A plain load first: most alarms have not fired, and a swap is not free.
        self.rang.load(Ordering::Relaxed) && self.rang.swap(false, Ordering::Relaxed)
    }

    pub(crate) fn has_fired(&self) -> bool {
        self.rang.load(Ordering::Relaxed)
    }

    pub(crate) fn wakes(&self, kernel: &Waker) {
        *self.kernel.lock().unwrap_or_else(PoisonError::into_inner) = Some(kernel.clone());
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.rang.store(true, Ordering::Relaxed);
        let kernel = self.kernel.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(kernel) = kernel {
            kernel.wake();
        }
    }
}
