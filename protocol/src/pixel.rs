//! RFB pixel formats (RFC 6143 section 7.4) and conversion to and from the internal `0x00RRGGBB`.
