//! A stream whose bytes out wait for their turns: for a presenter's screen, which is not sent as updates.

use super::{Turnstile, Upload};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream under a limit. Reading is not limited. A write that has begun is to be polled until it ends, or the stream dropped.
#[derive(Debug)]
pub struct Capped<S> {
    stream: S,
    turns: Turnstile,
    /// Bytes whose turn it is and that the stream has not taken yet.
    granted: usize,
}

impl Upload {
    /// Limits what is written to a stream, together with everything else of the process.
    pub fn cap<S>(&self, stream: S) -> Capped<S> {
        Capped { stream, turns: self.turnstile(), granted: 0 }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Capped<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Capped<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, turns, granted } = &mut *self;
        if *granted == 0 {
            *granted = ready!(turns.poll_turn(context, bytes.len()));
        }
        let now = bytes.get(..*granted).unwrap_or(bytes);
        let written = ready!(Pin::new(stream).poll_write(context, now))?;
        *granted -= written.min(*granted);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
