//! TigerVNC's vncviewer in full screen on an X display of its own, which is what it shows.

use crate::judges::Judge;
use crate::support::desktop::Screen;
use crate::support::picture::Picture;
use crate::support::process::Process;
use std::net::SocketAddr;

pub(crate) struct VncViewer {
    _viewer: Process,
    screen: Screen,
}

impl VncViewer {
    pub(crate) fn attach(server: SocketAddr, size: (u16, u16)) -> Self {
        let screen = Screen::new(size);
        let address = format!("{}::{}", server.ip(), server.port());
        let options = [
            "-FullScreen",
            "-Shared",
            "-ViewOnly",
            "-RemoteResize=0",
            "-MenuKey=",
            "-DotWhenNoCursor=0",
            "-AlertOnFatalError=0",
            "-NoJpeg",
        ];
        let viewer = screen.run("xtigervncviewer", &[&options[..], &[address.as_str()]].concat());
        Self { _viewer: viewer, screen }
    }
}

impl Judge for VncViewer {
    fn name(&self) -> &'static str {
        "TigerVNC's vncviewer"
    }

    fn picture(&mut self) -> Option<Picture> {
        Some(self.screen.picture())
    }
}
