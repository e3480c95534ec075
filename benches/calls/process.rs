//! What the kernel knows of a process. On Linux.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) struct Process(PathBuf);

impl Process {
    pub(crate) fn of(id: u32) -> Self {
        Self(Path::new("/proc").join(id.to_string()))
    }

    /// The processor time that all its threads have used, in nanoseconds' precision: `stat` counts hundredths of a second.
    pub(crate) fn cpu(&self) -> Duration {
        let threads = fs::read_dir(self.0.join("task")).unwrap();
        let used = |it: fs::DirEntry| fs::read_to_string(it.path().join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok();
        Duration::from_nanos(threads.filter_map(|it| used(it.ok()?)).sum())
    }

    /// A line of its status, in mebibytes: `VmRSS` is all its memory, `RssAnon` what is not the program's file.
    pub(crate) fn memory(&self, name: &str) -> f64 {
        let status = fs::read_to_string(self.0.join("status")).unwrap();
        let line = status.lines().find(|it| it.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
    }
}
