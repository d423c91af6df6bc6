//! Orders about presenting. Lists are one line, their items separated by `;` and the items' fields by `,`.

use treevnc_protocol::geometry::Rect;
use treevnc_protocol::tree::message::Policy;
use treevnc_viewer::picture::{Offer, Request, Sharing, Shown};

/// Carries out an order about presenting.
pub(crate) fn obey(shown: &Shown, order: &str, rest: &str) {
    match order {
        "presenting" => shown.set_presenting(rest),
        "mirror" => shown.set_mirror(rest == "on"),
        "say" => shown.say(rest),
        "displays" => shown.offer_displays(rest.split(';').filter_map(offer)),
        "requests" => shown.set_requests(rest.split(';').filter_map(request)),
        "policy" => {
            let policies = [("free", Policy::Free), ("ask", Policy::Ask), ("locked", Policy::Locked)];
            policies.into_iter().filter(|(name, _)| *name == rest).for_each(|(_, policy)| shown.set_policy(policy));
        }
        "sharing" => {
            let (state, by) = rest.split_once(' ').unwrap_or((rest, ""));
            shown.set_sharing(match state {
                "ready" => Sharing::Ready,
                "locked" => Sharing::Locked,
                "preparing" => Sharing::Preparing,
                "asking" => Sharing::Asking,
                "starting" => Sharing::Starting,
                "live" => Sharing::Live,
                "paused" => Sharing::Paused { by: by.into() },
                _ => Sharing::Unavailable,
            });
        }
        _ => {}
    }
}

/// `NAME,X,Y,WIDTH,HEIGHT[,main]`.
fn offer(text: &str) -> Option<Offer> {
    let mut fields = text.split(',');
    let name = fields.next()?.trim();
    let mut number = || fields.next()?.trim().parse().ok();
    let rect = Rect::new(number()?, number()?, number()?, number()?);
    Some(Offer { name: name.into(), rect, primary: fields.next().is_some() })
}

/// `NUMBER,NAME,DETAIL`.
fn request(text: &str) -> Option<Request> {
    let mut fields = text.splitn(3, ',').map(str::trim);
    Some(Request {
        number: fields.next()?.parse().ok()?,
        name: fields.next()?.into(),
        detail: fields.next().unwrap_or("").into(),
    })
}
