//! Losses and their repair: who became an orphan when, and when the last of them had a parent again.

use crate::actor::Actor;
use std::collections::BTreeMap;
use std::time::Duration;

/// How nodes lost their parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It left.
    Left,
    /// Its process ended.
    Crashed,
    /// Its host was gone.
    Vanished,
    /// It was stopped.
    Stalled,
    /// The connection went dead.
    Cut,
    /// The connection was reset.
    Reset,
    /// They could not reach each other for a while.
    Parted,
    /// The node itself was stopped: from when it went on.
    Back,
    /// The node itself was away from the others: from when it reached them again.
    Healed,
    /// Many vanished in one moment.
    Together,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 10] = [
        Kind::Left,
        Kind::Crashed,
        Kind::Vanished,
        Kind::Stalled,
        Kind::Cut,
        Kind::Reset,
        Kind::Parted,
        Kind::Back,
        Kind::Healed,
        Kind::Together,
    ];

    /// Its name, for tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Crashed => "crashed",
            Self::Vanished => "vanished",
            Self::Stalled => "stalled",
            Self::Cut => "link cut",
            Self::Reset => "link reset",
            Self::Parted => "parted",
            Self::Back => "gone on",
            Self::Healed => "not parted any more",
            Self::Together => "together",
        }
    }
}

#[derive(Debug)]
struct Loss {
    kind: Kind,
    at: Duration,
    orphans: usize,
    /// When the last of those who are back came back.
    last: Option<Duration>,
}

/// The losses that are not repaired, and how long the others took.
#[derive(Debug, Default)]
pub(crate) struct Losses {
    open: BTreeMap<u64, Loss>,
    of: BTreeMap<Actor, Vec<u64>>,
    last: u64,
    repaired: Vec<(Kind, Duration)>,
}

impl Losses {
    /// These nodes have lost their parent, or are about to find out.
    pub(crate) fn begin(&mut self, kind: Kind, at: Duration, orphans: &[Actor]) {
        if orphans.is_empty() {
            return;
        }
        self.last += 1;
        for orphan in orphans {
            self.of.entry(*orphan).or_default().push(self.last);
        }
        self.open.insert(self.last, Loss { kind, at, orphans: orphans.len(), last: None });
    }

    /// A node has attached to a parent.
    pub(crate) fn attached(&mut self, actor: Actor, now: Duration) {
        self.settle(actor, Some(now));
    }

    /// A node is no orphan for another reason: it is gone too, or its parent is not lost after all.
    pub(crate) fn excused(&mut self, actor: Actor) {
        self.settle(actor, None);
    }

    /// Losses that are not repaired yet.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }

    /// How long the repairs took, since the last time this was asked.
    pub(crate) fn take_repaired(&mut self) -> Vec<(Kind, Duration)> {
        std::mem::take(&mut self.repaired)
    }

    fn settle(&mut self, actor: Actor, now: Option<Duration>) {
        if self.open.is_empty() {
            return;
        }
        for number in self.of.remove(&actor).unwrap_or_default() {
            let Some(loss) = self.open.get_mut(&number) else { continue };
            loss.last = now.or(loss.last);
            loss.orphans -= 1;
            if loss.orphans > 0 {
                continue;
            }
            let Loss { kind, at, last, .. } = *loss;
            self.open.remove(&number);
            self.repaired.extend(last.map(|last| (kind, last.saturating_sub(at))));
        }
    }
}
