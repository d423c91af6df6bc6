//! The root's own children in all its trees. In each it is slot 0, so the same slot can be a child's in several.

use crate::tree::children::{Acceptance, Child, Children, Link};
use crate::tree::message::{Attach, Fault, LostChild};
use crate::tree::networks::TreeKey;
use crate::tree::slot::NodeId;
use crate::tree::ticket::Key;
use crate::update::SessionId;
use std::collections::BTreeMap;

/// The root's children, tree by tree; used as [`Children`] of one tree are.
#[derive(Debug, Clone)]
pub struct RootChildren {
    id: NodeId,
    session: SessionId,
    key: Key,
    trees: BTreeMap<TreeKey, Children>,
}

impl RootChildren {
    /// None yet; `secret` is that of the root's topology.
    pub fn new(id: NodeId, session: SessionId, secret: &Key) -> Self {
        Self { id, session, key: secret.derive(session, id), trees: BTreeMap::new() }
    }

    /// Decides on an ATTACH of a node that the root knows in this tree; one that it does not know is STALE.
    pub fn accept(&mut self, tree: Option<TreeKey>, attach: &Attach, link: Link) -> Acceptance {
        let Some(tree) = tree else { return Acceptance::Stale };
        let Self { id, session, key, trees } = self;
        let acceptance = trees.entry(tree).or_insert_with(|| Children::of_root(*id, *session, key.clone())).accept(attach, link);
        let Acceptance::Welcome { replaces } = acceptance else { return acceptance };
        // Who has come to another network still has its link in the one before.
        let others = trees.iter_mut().filter(|(other, _)| **other != tree);
        let older = others.filter_map(|(_, children)| children.let_go(attach.child)).next();
        Acceptance::Welcome { replaces: replaces.or(older) }
    }

    /// A link has ended: the report, if it was that of a child.
    pub fn lost(&mut self, link: Link, why: Fault) -> Option<LostChild> {
        self.trees.values_mut().find_map(|children| children.lost(link, why))
    }

    /// Whose link this is.
    pub fn by_link(&self, link: Link) -> Option<Child> {
        self.trees.values().find_map(|children| children.by_link(link))
    }

    /// Gives up the children in extra places: the links to close, and the reports.
    #[must_use = "the links are to be closed"]
    pub fn shed(&mut self) -> Vec<(Link, LostChild)> {
        self.trees.values_mut().flat_map(Children::shed).collect()
    }
}
