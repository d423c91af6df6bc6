//! RFB as RFC 6143 defines it, in both roles: messages, handshakes, encodings.
