//! gtk-vnc, through a small Python program on an X display of its own. Optional: not every machine has its bindings.

use crate::judges::Judge;
use crate::support::desktop::Screen;
use crate::support::picture::Picture;
use crate::support::process::Process;
use crate::support::tools::Scratch;
use crate::support::wait::PATIENCE;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

const PYTHON: &str = "/usr/bin/python3";

pub(crate) struct GtkVnc {
    viewer: Process,
    _screen: Screen,
    scratch: Scratch,
    asked: usize,
}

/// Whether the distribution's Python has the bindings.
pub(crate) fn is_installed() -> bool {
    let script =
        "import gi; gi.require_version('Gtk', '3.0'); gi.require_version('GtkVnc', '2.0'); from gi.repository import Gtk, GtkVnc";
    Command::new(PYTHON).args(["-c", script]).output().is_ok_and(|output| output.status.success())
}

impl GtkVnc {
    pub(crate) fn attach(server: SocketAddr, size: (u16, u16)) -> Self {
        Self::attach_as(server, size, "", "")
    }

    /// As this user, where the server asks.
    pub(crate) fn attach_as(server: SocketAddr, size: (u16, u16), user: &str, password: &str) -> Self {
        let screen = Screen::new(size);
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/judges/gtk_vnc_viewer.py");
        let (host, port) = (server.ip().to_string(), server.port().to_string());
        let given = [format!("VNC_USER={user}"), format!("VNC_PASSWORD={password}")];
        let viewer = screen.run("env", &[&given[0], &given[1], PYTHON, program.to_str().unwrap(), &host, &port]);
        Self { viewer, _screen: screen, scratch: Scratch::new(), asked: 0 }
    }
}

impl Judge for GtkVnc {
    fn name(&self) -> &'static str {
        "gtk-vnc"
    }

    fn picture(&mut self) -> Option<Picture> {
        let file = self.scratch.file("shown.ppm");
        self.viewer.say(file.to_str().unwrap());
        self.asked += 1;
        let said = self.viewer.out().wait_nth(self.asked, PATIENCE, |_| true).expect("an answer of gtk-vnc");
        (said == "written").then(|| Picture::from_ppm(&file))
    }
}
