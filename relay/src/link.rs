//! A link of the tree: a TCP connection that has exchanged greetings and now carries frames (PROTOCOL.md, Frames). Owns the reading
//! and writing of frames; what they mean is decided elsewhere.

mod child;
mod error;
mod gauge;
mod reader;
mod vitals;
mod writer;

pub use child::{LinkEnd, serve_child};
pub use error::LinkError;
pub use gauge::Gauge;
pub use reader::{Incoming, LinkReader};
pub use vitals::Vitals;
pub use writer::LinkWriter;

use crate::socket;
use crate::upload::Upload;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use treevnc_protocol::tree::frame::Accept;
use treevnc_protocol::tree::message::Message;
use treevnc_protocol::tree::{GREETING_PORT, GREETING_TREE};

/// A link of the tree, both directions of it.
#[derive(Debug)]
pub struct TreeLink {
    reader: LinkReader,
    writer: LinkWriter,
    peer: SocketAddr,
    local: SocketAddr,
}

impl TreeLink {
    /// A link over a connection whose greetings are done; updates that are written to it wait for their turns.
    pub(crate) fn new(stream: TcpStream, accept: Accept, upload: &Upload) -> io::Result<Self> {
        socket::prepare(&stream)?;
        let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
        let (read, write) = stream.into_split();
        Ok(Self { reader: LinkReader::new(read, accept), writer: LinkWriter::new(write, upload), peer, local })
    }

    /// The other side's address.
    pub fn peer_addr(&self) -> SocketAddr {
        self.peer
    }

    /// Our own address on this link: it tells through which interface the other side came.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// As [`LinkReader::read`].
    pub async fn read(&mut self) -> Result<Incoming, LinkError> {
        self.reader.read().await
    }

    /// As [`LinkWriter::write_message`].
    pub async fn write_message(&mut self, message: &Message) -> Result<(), LinkError> {
        self.writer.write_message(message).await
    }

    /// The connection itself, from the end of the last message read on: for what follows PRESENT. Not limited.
    pub fn into_stream(self) -> impl AsyncRead + AsyncWrite + Unpin + Send + use<> {
        let (early, read) = self.reader.into_rest();
        tokio::io::join(io::Cursor::new(early).chain(read), self.writer.into_half())
    }

    /// The two directions, to be used at the same time.
    pub fn split(self) -> (LinkReader, LinkWriter) {
        (self.reader, self.writer)
    }
}

/// Connects to a node's port and makes the connection a tree link, all within `limit`. Takes every frame type: who dials asks for
/// pictures or status. Dropping the future closes the connection.
pub async fn dial(addr: SocketAddr, limit: Duration) -> Result<TreeLink, LinkError> {
    dial_near(addr, limit, limit).await
}

/// The same for somebody who is near or not to be reached: the connection itself is to be made within `connecting`.
pub async fn dial_near(addr: SocketAddr, connecting: Duration, limit: Duration) -> Result<TreeLink, LinkError> {
    let connected = async {
        let stream = timeout(connecting, TcpStream::connect(addr)).await;
        let mut stream = stream.map_err(|_| LinkError::TimedOut(connecting))??;
        let mut greeting = [0; GREETING_PORT.len()];
        stream.read_exact(&mut greeting).await?;
        if &greeting != GREETING_PORT {
            return Err(LinkError::NotTreeVnc(greeting.escape_ascii().to_string()));
        }
        stream.write_all(GREETING_TREE).await?;
        Ok(TreeLink::new(stream, Accept::Everything, &Upload::unlimited())?)
    };
    timeout(limit, connected).await.unwrap_or(Err(LinkError::TimedOut(limit)))
}
