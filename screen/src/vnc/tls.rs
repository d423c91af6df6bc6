//! TLS with a VNC server (VeNCrypt's X509 kinds). Certificates of VNC servers are signed by nobody that anybody knows, so they are not
//! judged by a chain, a name or a date, but by whether they are the one that the server had before.

use super::certificate::public_key;
use super::known::{self, KnownServers, Line};
use super::{ConnectError, Stream};
use crate::address::PresenterAddress;
use std::io;
use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, ring, verify_tls12_signature, verify_tls13_signature, verify_tls13_signature_with_raw_key,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use tokio_rustls::rustls::{self, CertificateError, ClientConfig, DigitallySignedStruct, SignatureScheme};

/// A server, and what is known of its certificate.
#[derive(Debug)]
pub(super) struct Acquaintance<'a> {
    server: &'a PresenterAddress,
    known: &'a KnownServers,
    pins: Vec<Line>,
}

impl<'a> Acquaintance<'a> {
    /// Looks a server up.
    pub(super) fn look_up(server: &'a PresenterAddress, known: &'a KnownServers) -> Result<Self, ConnectError> {
        let pins = known.find(server);
        let pins = pins.map_err(|source| ConnectError::KnownServers { file: known.file().to_owned(), source })?;
        Ok(Self { server, known, pins })
    }

    /// Where the server's certificate is written down, if it is known: the file and the line.
    pub(super) fn place(&self) -> Option<(std::path::PathBuf, usize)> {
        self.pins.first().map(|pin| (self.known.file().to_owned(), pin.line))
    }

    /// Begins TLS as its client. A server that is new is written down once it has shown that the certificate is its own; when that
    /// fails, it is new again the next time. Dropping the future closes the connection.
    pub(super) async fn begin_tls(&self, stream: Box<dyn Stream>) -> Result<Box<dyn Stream>, ConnectError> {
        let provider = Arc::new(ring::default_provider());
        let pins = self.pins.iter().map(|pin| pin.fingerprint.clone()).collect();
        let algorithms = provider.signature_verification_algorithms;
        let judge = Arc::new(Judge { algorithms, pins, shown: OnceLock::new() });
        let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let mut config = versions.dangerous().with_custom_certificate_verifier(Arc::<Judge>::clone(&judge)).with_no_client_auth();
        config.enable_sni = false;
        config.resumption = Resumption::disabled();
        // Neither sent nor looked at.
        let name = ServerName::IpAddress(Ipv4Addr::UNSPECIFIED.into());
        let encrypted = TlsConnector::from(Arc::new(config)).connect(name, stream).await;
        let shown = judge.shown.get();
        if let (Some((file, line)), Some(fingerprint)) = (self.place(), shown.filter(|shown| !judge.is_fit(shown))) {
            return Err(ConnectError::CertificateChanged { file, line, fingerprint: fingerprint.clone() });
        }
        let encrypted = encrypted.map_err(tls_error)?;
        if let Some(fingerprint) = shown.filter(|_| self.pins.is_empty()) {
            self.remember(fingerprint);
        }
        Ok(Box::new(Encrypted(encrypted)))
    }

    fn remember(&self, fingerprint: &str) {
        let (server, file) = (self.server, self.known.file().display());
        match self.known.add(server, fingerprint) {
            Ok(()) => {
                tracing::info!("{server} is encrypted with {fingerprint}, which from now on it must be (written down in {file})")
            }
            Err(error) => {
                tracing::warn!("{server} is encrypted with {fingerprint}, which cannot be written down in {file}: {error}")
            }
        }
    }
}

/// TLS around a connection. Hardly any VNC server says farewell inside TLS before it closes, so the connection's end is the end, as it is without
/// TLS: RFB's messages say themselves how long they are.
struct Encrypted(TlsStream<Box<dyn Stream>>);

impl AsyncRead for Encrypted {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_read(cx, buffer) {
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            polled => polled,
        }
    }
}

impl AsyncWrite for Encrypted {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// What TLS says in place of an error of the connection.
fn tls_error(error: io::Error) -> ConnectError {
    match error.downcast::<rustls::Error>() {
        Ok(error) => ConnectError::Tls(error),
        Err(error) => ConnectError::Io(error),
    }
}

/// Judges a certificate by its fingerprint, and by the proof that the server holds its key.
#[derive(Debug)]
struct Judge {
    algorithms: WebPkiSupportedAlgorithms,
    /// Those that are known; with none, any will do.
    pins: Vec<String>,
    shown: OnceLock<String>,
}

impl Judge {
    fn is_fit(&self, fingerprint: &String) -> bool {
        self.pins.is_empty() || self.pins.contains(fingerprint)
    }
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let fingerprint = self.shown.get_or_init(|| known::fingerprint(certificate));
        if self.is_fit(fingerprint) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let by_certificate = verify_tls13_signature(message, certificate, signature, &self.algorithms);
        match (&by_certificate, public_key(certificate)) {
            // Perhaps a certificate of version 1. Its key is what the signature is to be proven by, however the rest is read.
            (Err(rustls::Error::InvalidCertificate(_)), Some(key)) => {
                let key = SubjectPublicKeyInfoDer::from(key);
                verify_tls13_signature_with_raw_key(message, &key, signature, &self.algorithms).or(by_certificate)
            }
            _ => by_certificate,
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
