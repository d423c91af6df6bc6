//! `treevnc floor`: who presents, and who may, decided at the root's machine.

use super::look_up;
use crate::cli::{FloorAction, FloorArgs};
use serde_json::json;
use std::fmt::Write;
use std::time::Duration;
use treevnc_protocol::tree::message::{FloorCommand, FloorReport, Policy};
use treevnc_viewer::ask::ask_floor;

const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn run(args: FloorArgs) -> anyhow::Result<()> {
    let command = match args.action.unwrap_or(FloorAction::Show) {
        FloorAction::Show => FloorCommand::Show,
        FloorAction::Approve { number } => FloorCommand::Approve(number),
        FloorAction::Refuse { number } => FloorCommand::Refuse(number),
        FloorAction::Back => FloorCommand::Back,
        FloorAction::Free => FloorCommand::Policy(Policy::Free),
        FloorAction::Ask => FloorCommand::Policy(Policy::Ask),
        FloorAction::Locked => FloorCommand::Policy(Policy::Locked),
    };
    let mut last = None;
    for root in look_up(&args.root).await? {
        match ask_floor(root, command, LIMIT).await {
            Ok(report) => {
                print!("{}", if args.json { as_json(&report) } else { as_text(&report) });
                return if report.done { Ok(()) } else { Err(anyhow::anyhow!("there is no such request")) };
            }
            Err(error) => last = Some(anyhow::Error::new(error)),
        }
    }
    Err(last.unwrap_or_else(|| anyhow::anyhow!("'{}' has no address", args.root)))
}

fn as_json(report: &FloorReport) -> String {
    let requests: Vec<_> = report
        .requests
        .iter()
        .map(|request| json!({"number": request.number, "name": request.name.as_str(), "view": request.view.to_string()}))
        .collect();
    let presents = report.presents.as_ref().map(|name| name.as_str());
    format!("{}\n", json!({"policy": report.policy.to_string(), "presents": presents, "requests": requests}))
}

fn as_text(report: &FloorReport) -> String {
    let mut out = String::new();
    let who = report.presents.as_ref().map_or("the lecturer", |name| name.as_str());
    let may = match report.policy {
        Policy::Free => "whoever asks may present",
        Policy::Ask => "you are asked before anybody else presents",
        Policy::Locked => "nobody else may present",
    };
    let _ = writeln!(out, "{who} presents; {may} ({})", report.policy);
    for request in &report.requests {
        let _ = writeln!(out, "  {}  {} asks to show {}", request.number, request.name, request.view);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use treevnc_protocol::tree::message::FloorRequest;
    use treevnc_protocol::view::View;

    #[test]
    fn requests_are_listed_with_their_numbers() {
        let requests = vec![FloorRequest { number: 4, name: "Bob".into(), view: View::Whole }];
        let report = FloorReport { policy: Policy::Ask, presents: Some("Ada".into()), requests, done: true };
        let expected = "Ada presents; you are asked before anybody else presents (ask)\n  4  Bob asks to show the whole screen\n";
        assert_eq!(as_text(&report), expected);
        let json: serde_json::Value = serde_json::from_str(&as_json(&report)).unwrap();
        assert_eq!((&json["presents"], &json["requests"][0]["number"]), (&json!("Ada"), &json!(4)));
    }
}
