//! libvncclient, through a small C program that is compiled when first needed.

use crate::judges::Judge;
use crate::support::picture::Picture;
use crate::support::process::Process;
use crate::support::tools::{Scratch, run};
use crate::support::wait::PATIENCE;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

pub(crate) struct LibVnc {
    process: Process,
    scratch: Scratch,
    asked: usize,
}

impl LibVnc {
    pub(crate) fn attach(server: SocketAddr) -> Self {
        Self::attach_as(server, "", "")
    }

    /// As this user, where the server asks.
    pub(crate) fn attach_as(server: SocketAddr, user: &str, password: &str) -> Self {
        Self::attach_with(server, &[("VNC_USER", user), ("VNC_PASSWORD", password)])
    }

    /// As a viewer that cannot be resized.
    pub(crate) fn attach_fixed(server: SocketAddr) -> Self {
        Self::attach_with(server, &[("VNC_FIXED_SIZE", "1")])
    }

    fn attach_with(server: SocketAddr, settings: &[(&str, &str)]) -> Self {
        static PROGRAM: LazyLock<PathBuf> = LazyLock::new(compile);
        let mut command = Command::new(&*PROGRAM);
        command.arg(format!("{}:{}", server.ip(), server.port())).envs(settings.iter().copied());
        let process = Process::start(&mut command).killed_at_once();
        process.line("ready", PATIENCE, |line| line == "ready");
        Self { process, scratch: Scratch::new(), asked: 0 }
    }
}

fn compile() -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/libvnc.c");
    let program = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("libvnc-{}", std::process::id()));
    let flags = run("pkg-config", &["--cflags", "--libs", "libvncclient"]);
    let mut args = vec!["-O2", "-o", program.to_str().unwrap(), source.to_str().unwrap()];
    args.extend(flags.split_whitespace());
    run("cc", &args);
    program
}

impl Judge for LibVnc {
    fn name(&self) -> &'static str {
        "libvncclient"
    }

    fn picture(&mut self) -> Option<Picture> {
        let file = self.scratch.file("shown.ppm");
        self.process.say(file.to_str().unwrap());
        self.asked += 1;
        self.process.out().wait_nth(self.asked, PATIENCE, |line| line == "written").expect("an answer of libvncclient");
        Some(Picture::from_ppm(&file))
    }
}
