//! Whether the process that holds a job is gone. Where that is known, its job is taken at once: there is nobody to wait for.
//!
//! A process tells its machine by what the kernel names this start of it and the numbers that processes have in it, and itself by its
//! number and the moment of its own start, since numbers are given out again. Who is elsewhere, or on a system that tells no such
//! things, is not known to be gone: their hold has to end.

/// The name under which a process holds jobs. It differs from that of every other process, before and after it.
pub(super) fn owner() -> String {
    let id = std::process::id();
    let place = own(id).map(|it| format!("{it} ")).unwrap_or_default();
    format!("{place}{id}-{}", uuid::Uuid::new_v4().simple())
}

/// Whether the process that goes by this name has surely ended.
pub(super) fn is_gone(owner: &str) -> bool {
    gone(owner).unwrap_or_default()
}

/// `None` where nobody can tell.
fn gone(owner: &str) -> Option<bool> {
    let mut parts = owner.split(' ');
    let (machine, id, began) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
    // Both have to be of this machine, and of these numbers.
    (machine == self::machine()?).then_some(())?;
    Some(match moment(id) {
        Some(now) => now != began || has_ended(id),
        // That it cannot be read is no proof, and that there is none is.
        None => matches!(std::fs::metadata(format!("/proc/{id}")), Err(error) if error.kind() == std::io::ErrorKind::NotFound),
    })
}

/// `MACHINE ID BEGAN`.
fn own(id: u32) -> Option<String> {
    Some(format!("{} {id} {}", machine()?, moment(id)?))
}

/// This start of this machine, and the numbers of its processes that are seen here.
fn machine() -> Option<String> {
    let start = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let numbers = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", start.trim(), numbers.display()))
}

/// When a process began, in ticks since the machine did.
fn moment(id: u32) -> Option<String> {
    field(&format!("/proc/{id}/stat"), 22)
}

/// Whether all that was at work in a process has ended, though nobody has asked yet how.
fn has_ended(id: u32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{id}/task")) else { return false };
    tasks.flatten().all(|it| field(&it.path().join("stat").to_string_lossy(), 3).is_some_and(|state| matches!(state.as_str(), "Z" | "X")))
}

/// A field of a line about a process, counted from 1; the second is its name in brackets, which may hold anything.
fn field(path: &str, number: usize) -> Option<String> {
    let line = std::fs::read_to_string(path).ok()?;
    line.rsplit_once(')')?.1.split_whitespace().nth(number.checked_sub(3)?).map(str::to_owned)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn who_is_gone_is_known_and_who_is_there_or_elsewhere_is_not_gone() {
        assert!(!is_gone(&owner()), "this one is here");
        assert_ne!(owner(), owner());
        let Ok(mut child) = Command::new("sleep").arg("60").spawn() else { panic!("no sleep") };
        let Some(name) = own(child.id()).map(|it| format!("{it} {}-x", child.id())) else { panic!("nothing is told of it") };
        assert!(!is_gone(&name), "it sleeps");
        let elsewhere = name.replacen('/', "0/", 1);
        assert!(child.kill().is_ok());
        for _ in 0..500 {
            if is_gone(&name) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        assert!(is_gone(&name), "it was killed, and nobody has asked for its end yet");
        assert!(child.wait().is_ok());
        assert!(is_gone(&name));
        assert!(!is_gone(&elsewhere), "of another machine nothing is known");
        let (machine, id) = (machine().unwrap_or_default(), std::process::id());
        assert!(is_gone(&format!("{machine} {id} 1 {id}-x")), "its number was given to another one");
        for unknown in ["", "here", "4711-abc", "a b c d"] {
            assert!(!is_gone(unknown), "{unknown}");
        }
    }
}
