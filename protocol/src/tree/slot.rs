//! Who and where: node numbers, slots of the tree, and placement numbers. Arithmetic only.
//!
//! Beside the binary tree's slots there are *extra* places: leaf-only children of a node beyond its two.

use serde::{Deserialize, Serialize};

/// A node's name for itself: random, chosen anew by each process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u64);

impl std::fmt::Display for NodeId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// Number of a placement: one counter at the root, so a larger one is newer. The first is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct V(pub u64);

impl V {
    /// Before the first placement; also the root's own.
    pub const NONE: V = V(0);
}

impl std::fmt::Display for V {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// Which child of its parent a slot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The first child, the leader of its pair.
    Left,
    /// The second child.
    Right,
}

impl Side {
    /// Both, in slot order.
    pub const BOTH: [Side; 2] = [Side::Left, Side::Right];

    /// 0 for left, 1 for right.
    pub fn index(self) -> usize {
        match self {
            Side::Left => 0,
            Side::Right => 1,
        }
    }
}

/// Most extra places below one slot.
pub const MAX_EXTRA: u8 = 64;

/// Set in the number of an extra place; then come 25 bits of the parent's slot and 6 bits of a number below it.
const EXTRA: u32 = 1 << 31;
const EXTRA_BITS: u32 = 6;

/// A place in a binary tree, numbered row by row: slot 0 is the root, the children of slot n are 2n+1 and 2n+2. Numbers from
/// 2^31 on are extra places ([`Slot::extra`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct Slot(pub u32);

impl Slot {
    /// The root's place.
    pub const ROOT: Slot = Slot(0);

    /// The first number of an extra place; all numbers below it are the binary tree's.
    pub const FIRST_EXTRA: Slot = Slot(EXTRA);

    /// The first and the last slot of that depth below this one; none where the numbers end, and below an extra place.
    pub fn row_below(self, depth: u32) -> Option<(Slot, Slot)> {
        let rows = depth.checked_sub(self.depth()).filter(|rows| *rows < 31 && !self.is_extra())?;
        let first = ((u64::from(self.0) + 1) << rows) - 1;
        let last = first + (1 << rows) - 1;
        let slot = |n: u64| u32::try_from(n).ok().filter(|n| *n < EXTRA).map(Slot);
        slot(first).zip(slot(last))
    }

    /// The extra place number `n` below `parent`: for a leaf-only child beyond the two. None where the numbers end, and below
    /// another extra place.
    pub fn extra(parent: Slot, n: u8) -> Option<Slot> {
        let fits = n < MAX_EXTRA && parent.0 < EXTRA >> EXTRA_BITS;
        fits.then_some(Slot(EXTRA | parent.0 << EXTRA_BITS | u32::from(n)))
    }

    /// Whether it is an extra place.
    pub fn is_extra(self) -> bool {
        self.0 & EXTRA != 0
    }

    /// Which child of its parent it is: 0 left, 1 right, then the extra places; none for the root.
    pub fn seat(self) -> Option<usize> {
        if self.is_extra() {
            return Some(2 + (self.0 & ((1 << EXTRA_BITS) - 1)) as usize);
        }
        self.side().map(Side::index)
    }

    /// The first slot of the row with that depth; none where the numbers end.
    pub fn first_of_row(depth: u32) -> Option<Slot> {
        (depth < 31).then(|| Slot((1 << depth) - 1))
    }

    /// The slot above; none for the root.
    pub fn parent(self) -> Option<Slot> {
        if self.is_extra() {
            return Some(Slot((self.0 & !EXTRA) >> EXTRA_BITS));
        }
        self.0.checked_sub(1).map(|n| Slot(n / 2))
    }

    /// The slot below on that side; none where the numbers end, and below an extra place.
    pub fn child(self, side: Side) -> Option<Slot> {
        let first = self.0.checked_mul(2)?.checked_add(1)?;
        let child = match side {
            Side::Left => first,
            Side::Right => first.checked_add(1)?,
        };
        (child < EXTRA).then_some(Slot(child))
    }

    /// Both slots below, as far as the numbers go.
    pub fn children(self) -> impl Iterator<Item = Slot> {
        Side::BOTH.into_iter().filter_map(move |side| self.child(side))
    }

    /// Which of its parent's two children it is; none for the root and for extra places.
    pub fn side(self) -> Option<Side> {
        match self.0 {
            0 => None,
            _ if self.is_extra() => None,
            n if n % 2 == 1 => Some(Side::Left),
            _ => Some(Side::Right),
        }
    }

    /// Whether it is the left child of a pair (TreeVNC's leader).
    pub fn is_leader(self) -> bool {
        self.side() == Some(Side::Left)
    }

    /// Links between this slot and the root: 0 for the root itself.
    pub fn depth(self) -> u32 {
        match self.parent() {
            Some(parent) if self.is_extra() => parent.depth() + 1,
            _ => (self.0 + 1).ilog2(),
        }
    }

    /// The slots above, from the parent to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Slot> {
        std::iter::successors(self.parent(), |slot| slot.parent())
    }

    /// Whether it lies below `top`; a slot is not below itself.
    pub fn is_below(self, top: Slot) -> bool {
        self.ancestors().any(|slot| slot == top)
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.parent(), self.seat()) {
            (Some(parent), Some(seat)) if self.is_extra() => write!(f, "{parent}+{}", seat - 1),
            _ => write!(f, "{}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rows_are_numbered_as_documented() {
        let parents: Vec<_> = (0..7).map(|n| Slot(n).parent().map(|slot| slot.0)).collect();
        assert_eq!(parents, [None, Some(0), Some(0), Some(1), Some(1), Some(2), Some(2)]);
        let depths: Vec<_> = (0..8).map(|n| Slot(n).depth()).collect();
        assert_eq!(depths, [0, 1, 1, 2, 2, 2, 2, 3]);
        let leaders: Vec<_> = (0..7).filter(|&n| Slot(n).is_leader()).collect();
        assert_eq!(leaders, [1, 3, 5]);
    }

    #[test]
    fn a_child_knows_its_parent_and_its_side() {
        for n in (0..1000).chain([EXTRA / 2 - 2]) {
            for side in Side::BOTH {
                let child = Slot(n).child(side).unwrap();
                assert_eq!((child.parent(), child.side()), (Some(Slot(n)), Some(side)));
                assert_eq!(child.depth(), Slot(n).depth() + 1);
                assert!(child.is_below(Slot(n)) && child.is_below(Slot::ROOT) && !Slot(n).is_below(child));
            }
        }
    }

    #[test]
    fn the_end_of_the_numbers_has_no_children() {
        assert_eq!(Slot(EXTRA - 1).children().count(), 0);
        assert_eq!(Slot(EXTRA / 2 - 1).children().count(), 1);
        assert_eq!(Slot(EXTRA - 1).depth(), 31);
    }

    #[test]
    fn the_slots_below_are_one_range_in_each_row() {
        for (n, depth) in [(0, 0), (0, 3), (1, 1), (2, 5), (5, 4), (100, 8)] {
            let (first, last) = Slot(n).row_below(depth).unwrap();
            let is_there = |slot: Slot| slot == Slot(n) || slot.is_below(Slot(n));
            assert!(is_there(first) && is_there(last) && first.depth() == depth && last.depth() == depth, "{n} {depth}");
            assert!(first == Slot::first_of_row(depth).unwrap() || !is_there(Slot(first.0 - 1)));
            assert!(last.depth() < Slot(last.0 + 1).depth() || !is_there(Slot(last.0 + 1)));
        }
        assert_eq!([Slot(5).row_below(1), Slot(5).row_below(32)], [None, None]);
    }

    #[test]
    fn extra_places_know_their_parent_and_come_after_all_others() {
        for parent in [Slot::ROOT, Slot(5), Slot((EXTRA >> EXTRA_BITS) - 1)] {
            for n in [0, 1, MAX_EXTRA - 1] {
                let extra = Slot::extra(parent, n).unwrap();
                assert_eq!((extra.parent(), extra.seat()), (Some(parent), Some(2 + usize::from(n))));
                assert_eq!((extra.side(), extra.children().count(), extra.depth()), (None, 0, parent.depth() + 1));
                assert!(extra > Slot(EXTRA - 1) && extra.is_below(Slot::ROOT) && !extra.is_leader());
            }
            assert_eq!(Slot::extra(parent, MAX_EXTRA), None);
        }
        assert_eq!(Slot::extra(Slot(EXTRA >> EXTRA_BITS), 0), None);
        assert_eq!(Slot::extra(Slot(5), 2).unwrap().to_string(), "5+3");
        let rows: Vec<_> = (0..4).map(|depth| Slot::first_of_row(depth).unwrap().0).collect();
        assert_eq!(rows, [0, 1, 3, 7]);
    }
}
