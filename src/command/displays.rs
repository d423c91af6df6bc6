//! `treevnc displays`: what `--display` can choose from, on this machine or at a VNC server.

use super::credentials;
use crate::cli::DisplaysArgs;
use anyhow::Context;
use serde_json::json;
use treevnc_protocol::geometry::Rect;
use treevnc_screen::display::Display;
use treevnc_screen::vnc::VncServer;
use treevnc_viewer::share::{ShareEnd, ShareSource, displays};

pub(super) async fn run(args: DisplaysArgs) -> anyhow::Result<()> {
    let source = match &args.vnc {
        None => ShareSource::OwnScreen,
        Some(vnc) => {
            let address = vnc.parse().with_context(|| format!("--vnc {vnc}"))?;
            let credentials = credentials::read(args.user, args.password_file.as_deref())?;
            ShareSource::Vnc(VncServer { address, credentials })
        }
    };
    let found = displays(&source).await.map_err(|error| match &error {
        ShareEnd::Server(_, reason) => credentials::with_advice(&error, reason),
        _ => error.into(),
    })?;
    print!("{}", if args.json { as_json(&found) } else { as_text(&found) });
    Ok(())
}

fn as_text(displays: &[Display]) -> String {
    let line = |(number, display): (usize, &Display)| {
        let Rect { x, y, width, height } = display.rect;
        let primary = if display.primary { ", the first" } else { "" };
        format!("{number}  {width}x{height} at {x},{y}  {}{primary}", display.name).trim_end().to_owned() + "\n"
    };
    (1..).zip(displays).map(line).collect()
}

fn as_json(displays: &[Display]) -> String {
    let one = |(number, display): (usize, &Display)| {
        let Rect { x, y, width, height } = display.rect;
        json!({"number": number, "name": display.name, "x": x, "y": y, "width": width, "height": height, "primary": display.primary})
    };
    format!("{}\n", json!((1..).zip(displays).map(one).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_are_listed_with_the_numbers_that_choose_them() {
        let display = |name: &str, x, primary| Display { id: 7, name: name.into(), rect: Rect::new(x, 0, 640, 480), primary };
        let list = [display("HDMI-1", 0, true), display("", 640, false)];
        assert_eq!(as_text(&list), "1  640x480 at 0,0  HDMI-1, the first\n2  640x480 at 640,0\n");
        let json: serde_json::Value = serde_json::from_str(&as_json(&list)).unwrap();
        assert_eq!((&json[1]["number"], &json[1]["x"]), (&json!(2), &json!(640)));
    }
}
