//! Reading big-endian fields from a slice that may be too short, and the limits on what a peer may announce.

/// Reads big-endian fields from the front of a slice. Every read answers `None` when the bytes are not there, and then
/// consumes nothing.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    rest: &'a [u8],
    consumed: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, consumed: 0 }
    }

    /// Bytes read so far.
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// Bytes not yet read.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, tail) = self.rest.split_at_checked(count)?;
        self.rest = tail;
        self.consumed += count;
        Some(head)
    }

    /// The next bytes as a fixed-size array.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.bytes(N)?.try_into().ok()
    }

    /// One byte.
    pub fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes, big-endian.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Four bytes, big-endian, signed.
    pub fn i32(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    /// Eight bytes, big-endian.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// A rectangle as RFB writes it: x, y, width, height.
    pub fn rect(&mut self) -> Option<crate::geometry::Rect> {
        let [x, y, width, height] = self.array::<8>().map(|b| [[b[0], b[1]], [b[2], b[3]], [b[4], b[5]], [b[6], b[7]]])?;
        let field = u16::from_be_bytes;
        Some(crate::geometry::Rect::new(field(x), field(y), field(width), field(height)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_read_consumes_nothing() {
        let mut r = Reader::new(&[0, 1, 2]);
        assert_eq!(r.u32(), None);
        assert_eq!((r.u16(), r.consumed()), (Some(1), 2));
        assert_eq!((r.u16(), r.u8(), r.u8()), (None, Some(2), None));
    }
}
