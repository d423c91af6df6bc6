//! Numbers of the encodings and pseudo-encodings that are spoken here (RFC 6143 section 7.7 and the IANA registry).

/// Pixels as they are (RFC 6143 section 7.7.1).
pub const RAW: i32 = 0;
/// A copy from elsewhere in the framebuffer (RFC 6143 section 7.7.2).
pub const COPY_RECT: i32 = 1;
/// Tiles of 16x16 with background, foreground and subrectangles (RFC 6143 section 7.7.4).
pub const HEXTILE: i32 = 5;
/// Filters and four zlib streams; lossless as long as no quality level is offered (registered, "Tight").
pub const TIGHT: i32 = 7;
/// Tiles of 64x64 in one zlib stream (RFC 6143 section 7.7.6).
pub const ZRLE: i32 = 16;
/// The screen's size changed (RFC 6143 section 7.8.2).
pub const DESKTOP_SIZE: i32 = -223;
/// The update ends here, whatever its count says (registered, "LastRect").
pub const LAST_RECT: i32 = -224;
/// The screen's name changed (registered, "DesktopName").
pub const DESKTOP_NAME: i32 = -307;
/// The screen's size and its monitors (registered, "ExtendedDesktopSize").
pub const EXTENDED_DESKTOP_SIZE: i32 = -308;
