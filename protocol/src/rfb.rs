//! RFB as RFC 6143 defines it, in both roles: versions, handshakes, messages, and the decoder of a server's pictures.
//!
//! Everything is pushed: `feed` takes the bytes that came, keeps what is incomplete, and either consumes all of them or stops after
//! the one thing it reports. So a caller reads from its socket into any buffer, feeds it until nothing is reported, and throws it
//! away.

mod client_message;
mod decoder;
pub mod encoding;
mod extended_desktop_size;
mod gather;
mod handshake;
pub mod security;
mod server_message;
mod version;

pub use client_message::{ClientDecoder, ClientMessage, ClientMessageError, MAX_CUT_TEXT_BYTES, MAX_ENCODINGS};
pub use decoder::{DecodeError, ServerDecoder, ServerEvent, max_compressed_bytes};
pub use extended_desktop_size::{ScreenArea, extended_desktop_size_rect};
pub use handshake::client::ClientHandshake;
pub use handshake::login::{Login, Tls};
pub use handshake::server::{ServerHandshake, ServerSecurity, refusal};
pub use handshake::{HandshakeError, MAX_REASON_BYTES, MAX_SKIPPED_NAME_BYTES, ServerInit};
pub use server_message::{
    bell, desktop_name_rect, desktop_size_rect, framebuffer_update_header, last_rect, raw_rect, rect_header,
};
pub use version::{VERSION_BYTES, Version};
