//! Reading ahead: the next slices are read and decompressed while the last one is being used.

use std::sync::mpsc::sync_channel;

use super::H5adError;

/// Slices that may wait to be used; with the one being read and the one being used this bounds the memory.
const WAITING: usize = 2;

/// Call `read` for each of `places` in order on a thread of its own, and `take` with what it gave on this one.
///
/// The first error of either ends both.
pub(super) fn read_ahead<P: Clone + Send, T: Send>(
    places: impl Iterator<Item = P> + Send,
    read: impl Fn(P) -> Result<T, H5adError> + Send,
    mut take: impl FnMut(P, T) -> Result<(), H5adError>,
) -> Result<(), H5adError> {
    std::thread::scope(|scope| {
        let (sender, receiver) = sync_channel(WAITING);
        let reading = move || {
            for place in places {
                let slice = read(place.clone());
                let failed = slice.is_err();
                // Nobody listens any more after an error of the other side.
                if sender.send((place, slice)).is_err() || failed {
                    return;
                }
            }
        };
        let reader = std::thread::Builder::new().name("read ahead".to_owned()).spawn_scoped(scope, reading);
        let reader = reader.map_err(|error| H5adError::NoThread { reason: error.to_string() })?;
        let mut outcome = Ok(());
        for (place, slice) in &receiver {
            outcome = slice.and_then(|slice| take(place, slice));
            if outcome.is_err() {
                break;
            }
        }
        drop(receiver);
        if let Err(panic) = reader.join() {
            std::panic::resume_unwind(panic);
        }
        outcome
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn slices_come_in_order() {
        let mut seen = Vec::new();
        let taken = read_ahead(
            0..100,
            |at| Ok(at * 2),
            |at, twice| {
                assert_eq!(twice, 2 * at);
                seen.push(at);
                Ok(())
            },
        );
        assert!(taken.is_ok());
        assert!(seen.into_iter().eq(0..100));
    }

    #[test]
    fn an_error_of_either_side_ends_both() {
        let failing = |at| match at {
            7 => Err(H5adError::missing("X", "a matrix")),
            at => Ok(at),
        };
        let mut used = 0;
        assert!(
            read_ahead(0..100, failing, |_, _| {
                used += 1;
                Ok(())
            })
            .is_err()
        );
        assert_eq!(used, 7);

        let read = AtomicUsize::new(0);
        let count = |at| {
            read.fetch_add(1, Ordering::Relaxed);
            Ok(at)
        };
        let refuse = |_, at| if at == 3 { Err(H5adError::missing("X", "a matrix")) } else { Ok(()) };
        assert!(read_ahead(0..1000, count, refuse).is_err());
        assert!(read.into_inner() <= 3 + WAITING + 3, "reading goes on after an error");
    }
}
