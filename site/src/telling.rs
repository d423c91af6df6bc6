//! What a site tells its own nodes of the far session's presenter.

use treevnc_protocol::tree::message::Presenter;
use treevnc_protocol::tree::slot::NodeId;
use treevnc_protocol::tree::text::Reason;

/// What the far session says, with the site at the end of the line. While the uplink is `interrupted`, which says why, there is nobody
/// to be seen, and all else stays as it was.
pub(crate) fn told(far: &Presenter, id: NodeId, interrupted: Option<&str>) -> Presenter {
    let gone = interrupted.map_or_else(|| far.gone.clone(), Reason::new);
    let line = far.line.iter().copied().chain([id]).collect();
    Presenter { gone, line, ..far.clone() }
}

/// The same for those who ask for the status; `screen` is the name of what is shown.
pub(crate) fn about(told: &Presenter, screen: &str) -> String {
    if !told.gone.is_empty() {
        return told.gone.to_string();
    }
    let name = if told.node.is_some() { told.name.as_str() } else { screen };
    if name.is_empty() { "presenting".to_owned() } else { format!("presenting: {name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interruption_is_told_and_the_presenter_is_not_forgotten() {
        let far = Presenter { node: Some(NodeId(3)), name: "Ada".into(), line: vec![NodeId(1)], ..Presenter::default() };
        let (well, broken) = (told(&far, NodeId(2), None), told(&far, NodeId(2), Some("interrupted")));
        assert_eq!((well.line.as_slice(), well.gone.as_str()), (&[NodeId(1), NodeId(2)][..], ""));
        assert_eq!((broken.node, broken.name.as_str(), broken.gone.as_str()), (far.node, "Ada", "interrupted"));
        assert_eq!((about(&well, "desk"), about(&broken, "desk")), ("presenting: Ada".into(), "interrupted".into()));
        assert_eq!(about(&told(&Presenter::default(), NodeId(2), None), "desk"), "presenting: desk");
    }
}
