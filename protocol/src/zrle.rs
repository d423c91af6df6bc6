//! ZRLE tiles and ZRLEE pieces (RFC 6143 section 7.7.6, PROTOCOL.md).
