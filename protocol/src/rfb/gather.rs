//! Collects a field of known or growing length from pieces of input, without copying when a piece holds all of it.

/// What is held of the field that is being read. Memory grows with bytes that came, never with a length that was announced.
#[derive(Debug, Default)]
pub(super) struct Gather {
    held: Vec<u8>,
    /// Whether `held` was given out and is to be forgotten by the next call.
    given: bool,
}

impl Gather {
    /// Largest buffer that is kept for the next field.
    const KEPT_BYTES: usize = 1 << 20;

    /// Takes the next `count` bytes off `input`; `None` when they are not all there yet, and then all of `input` is taken and held.
    pub(super) fn take<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8], count: usize) -> Option<&'a [u8]> {
        self.take_measured(input, |_| count)
    }

    /// As [`Gather::take`] for a field whose length stands in the field itself: `measure` is given its beginning and answers the
    /// whole length, or any length above the beginning's while that is not enough to tell.
    pub(super) fn take_measured<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        measure: impl Fn(&[u8]) -> usize,
    ) -> Option<&'a [u8]> {
        if std::mem::take(&mut self.given) {
            self.held.clear();
            self.held.shrink_to(Self::KEPT_BYTES);
        }
        if self.held.is_empty()
            && let Some((field, rest)) = input.split_at_checked(measure(input))
        {
            *input = rest;
            return Some(field);
        }
        loop {
            let missing = measure(&self.held).saturating_sub(self.held.len());
            if missing == 0 {
                self.given = true;
                return Some(&self.held);
            }
            let (piece, rest) = input.split_at(missing.min(input.len()));
            self.held.extend_from_slice(piece);
            *input = rest;
            if piece.len() < missing {
                return None;
            }
        }
    }

    /// The next `N` bytes as an array.
    pub(super) fn array<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        self.take(input, N)?.try_into().ok()
    }

    /// Whether part of a field is held.
    pub(super) fn is_holding(&self) -> bool {
        !self.given && !self.held.is_empty()
    }
}

#[cfg(test)]
impl Gather {
    /// Bytes held of an unfinished field.
    pub(super) fn held_bytes(&self) -> usize {
        if self.given { 0 } else { self.held.len() }
    }
}

/// Throws away up to `left` bytes of `input`; whether none is left to throw away.
pub(super) fn skip(input: &mut &[u8], left: &mut usize) -> bool {
    let (skipped, rest) = input.split_at(input.len().min(*left));
    *left -= skipped.len();
    *input = rest;
    *left == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field of one length byte and as many bytes more.
    fn counted(bytes: &[u8]) -> usize {
        bytes.first().map_or(1, |&count| 1 + usize::from(count))
    }

    #[test]
    fn pieces_of_any_size_give_the_same_fields_in_order() {
        let stream = [2, 9, 8, 0, 3, 7, 6, 5, 1, 4];
        for size in 1..=stream.len() {
            let mut gather = Gather::default();
            let mut fields = Vec::new();
            for piece in stream.chunks(size) {
                let mut input = piece;
                while !input.is_empty() {
                    if let Some(field) = gather.take_measured(&mut input, counted) {
                        fields.push(field.to_vec());
                    } else {
                        assert!(input.is_empty() && gather.is_holding());
                    }
                }
            }
            assert_eq!(fields, [&[2, 9, 8][..], &[0], &[3, 7, 6, 5], &[1, 4]], "in pieces of {size}");
        }
    }

    #[test]
    fn a_field_of_no_bytes_is_there_at_once() {
        let mut input: &[u8] = &[];
        assert_eq!(Gather::default().take(&mut input, 0), Some(&[][..]));
    }

    #[test]
    fn a_large_announced_length_takes_no_memory() {
        let mut gather = Gather::default();
        let mut input: &[u8] = &[1, 2, 3];
        assert_eq!(gather.take(&mut input, usize::MAX), None);
        assert!(gather.held.capacity() < 100);
    }
}
