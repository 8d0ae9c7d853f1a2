"""Names of the object identifiers that certificates carry.

The rule guarded here: an identifier without a name prints as its dotted numbers, never as an error. Names are those of
the ASN.1 modules; keys are the identifier's DER content, so that nothing is decoded to look one up.

Source: RFC 5280 appendix A, RFC 3279, 4055, 5480, 5758, 8410 and 9881 (algorithms), RFC 6962 and 7633 (extensions).
"""

from __future__ import annotations

MAX_OID_BYTES = 64


def oid_text(content: bytes) -> str:
    """Write an identifier with dots; "" when its content is none, or longer than any in use."""
    if not 0 < len(content) <= MAX_OID_BYTES or content[-1] & 0x80:
        return ""
    arcs, arc = [], 0
    for byte in content:
        arc = arc << 7 | byte & 0x7F
        if not byte & 0x80:
            arcs.append(arc)
            arc = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def _content(dotted: str) -> bytes:
    """Encode an identifier's content."""
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for arc in (40 * first + second, *rest):
        group = [arc & 0x7F]
        while arc := arc >> 7:
            group.append(arc & 0x7F | 0x80)
        out += bytes(reversed(group))
    return bytes(out)


def _registry(names: dict[str, str]) -> dict[bytes, str]:
    return {_content(dotted): name for dotted, name in names.items()}


EXTENSIONS = _registry(
    {
        "2.5.29.9": "subjectDirectoryAttributes",
        "2.5.29.14": "subjectKeyIdentifier",
        "2.5.29.15": "keyUsage",
        "2.5.29.16": "privateKeyUsagePeriod",
        "2.5.29.17": "subjectAltName",
        "2.5.29.18": "issuerAltName",
        "2.5.29.19": "basicConstraints",
        "2.5.29.30": "nameConstraints",
        "2.5.29.31": "cRLDistributionPoints",
        "2.5.29.32": "certificatePolicies",
        "2.5.29.33": "policyMappings",
        "2.5.29.35": "authorityKeyIdentifier",
        "2.5.29.36": "policyConstraints",
        "2.5.29.37": "extendedKeyUsage",
        "2.5.29.46": "freshestCRL",
        "2.5.29.54": "inhibitAnyPolicy",
        "1.3.6.1.5.5.7.1.1": "authorityInfoAccess",
        "1.3.6.1.5.5.7.1.11": "subjectInfoAccess",
        "1.3.6.1.5.5.7.1.24": "tlsFeature",
        "1.3.6.1.5.5.7.48.1.5": "ocspNoCheck",
        "1.3.6.1.4.1.11129.2.4.2": "signedCertificateTimestampList",
        "1.3.6.1.4.1.11129.2.4.3": "ctPoison",
        "1.3.6.1.4.1.44363.44": "delegationUsage",
    }
)

ATTRIBUTES = _registry(
    {
        "2.5.4.3": "commonName",
        "2.5.4.4": "surname",
        "2.5.4.5": "serialNumber",
        "2.5.4.6": "countryName",
        "2.5.4.7": "localityName",
        "2.5.4.8": "stateOrProvinceName",
        "2.5.4.9": "streetAddress",
        "2.5.4.10": "organizationName",
        "2.5.4.11": "organizationalUnitName",
        "2.5.4.12": "title",
        "2.5.4.15": "businessCategory",
        "2.5.4.17": "postalCode",
        "2.5.4.42": "givenName",
        "2.5.4.43": "initials",
        "2.5.4.44": "generationQualifier",
        "2.5.4.46": "dnQualifier",
        "2.5.4.65": "pseudonym",
        "2.5.4.97": "organizationIdentifier",
        "0.9.2342.19200300.100.1.1": "userId",
        "0.9.2342.19200300.100.1.25": "domainComponent",
        "1.2.840.113549.1.9.1": "emailAddress",
        "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionCountryName",
    }
)

SHORT_ATTRIBUTES = {
    "commonName": "CN",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "streetAddress": "STREET",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "userId": "UID",
    "domainComponent": "DC",
}

ALGORITHMS = _registry(
    {
        "1.2.840.113549.1.1.1": "rsaEncryption",
        "1.2.840.113549.1.1.4": "md5WithRSAEncryption",
        "1.2.840.113549.1.1.5": "sha1WithRSAEncryption",
        "1.2.840.113549.1.1.7": "id-RSAES-OAEP",
        "1.2.840.113549.1.1.8": "id-mgf1",
        "1.2.840.113549.1.1.10": "id-RSASSA-PSS",
        "1.2.840.113549.1.1.11": "sha256WithRSAEncryption",
        "1.2.840.113549.1.1.12": "sha384WithRSAEncryption",
        "1.2.840.113549.1.1.13": "sha512WithRSAEncryption",
        "1.2.840.113549.1.1.14": "sha224WithRSAEncryption",
        "1.2.840.10040.4.1": "id-dsa",
        "1.2.840.10040.4.3": "id-dsa-with-sha1",
        "1.2.840.10045.2.1": "id-ecPublicKey",
        "1.2.840.10045.3.1.1": "secp192r1",
        "1.2.840.10045.3.1.7": "secp256r1",
        "1.2.840.10045.4.1": "ecdsa-with-SHA1",
        "1.2.840.10045.4.3.1": "ecdsa-with-SHA224",
        "1.2.840.10045.4.3.2": "ecdsa-with-SHA256",
        "1.2.840.10045.4.3.3": "ecdsa-with-SHA384",
        "1.2.840.10045.4.3.4": "ecdsa-with-SHA512",
        "1.3.132.0.10": "secp256k1",
        "1.3.132.0.33": "secp224r1",
        "1.3.132.0.34": "secp384r1",
        "1.3.132.0.35": "secp521r1",
        "1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1",
        "1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1",
        "1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1",
        "1.3.101.110": "id-X25519",
        "1.3.101.111": "id-X448",
        "1.3.101.112": "id-Ed25519",
        "1.3.101.113": "id-Ed448",
        "1.3.14.3.2.26": "id-sha1",
        "2.16.840.1.101.3.4.2.1": "id-sha256",
        "2.16.840.1.101.3.4.2.2": "id-sha384",
        "2.16.840.1.101.3.4.2.3": "id-sha512",
        "2.16.840.1.101.3.4.2.4": "id-sha224",
        "2.16.840.1.101.3.4.3.17": "id-ml-dsa-44",
        "2.16.840.1.101.3.4.3.18": "id-ml-dsa-65",
        "2.16.840.1.101.3.4.3.19": "id-ml-dsa-87",
    }
)

OTHERS = _registry(
    {
        "1.3.6.1.5.5.7.3.1": "serverAuth",
        "1.3.6.1.5.5.7.3.2": "clientAuth",
        "1.3.6.1.5.5.7.3.3": "codeSigning",
        "1.3.6.1.5.5.7.3.4": "emailProtection",
        "1.3.6.1.5.5.7.3.8": "timeStamping",
        "1.3.6.1.5.5.7.3.9": "OCSPSigning",
        "2.5.29.37.0": "anyExtendedKeyUsage",
        "1.3.6.1.4.1.311.10.3.3": "msSGC",
        "1.3.6.1.4.1.311.20.2.2": "msSmartcardLogin",
        "1.3.6.1.4.1.311.20.2.3": "userPrincipalName",
        "1.3.6.1.5.2.3.5": "pkinitKdc",
        "1.3.6.1.5.5.7.48.1": "ocsp",
        "1.3.6.1.5.5.7.48.2": "caIssuers",
        "1.3.6.1.5.5.7.48.3": "timeStamping",
        "1.3.6.1.5.5.7.48.5": "caRepository",
        "1.3.6.1.5.5.7.2.1": "cps",
        "1.3.6.1.5.5.7.2.2": "unotice",
        "2.5.29.32.0": "anyPolicy",
        "2.23.140.1.1": "extended-validated",
        "2.23.140.1.2.1": "domain-validated",
        "2.23.140.1.2.2": "organization-validated",
        "2.23.140.1.2.3": "individual-validated",
    }
)

OIDS = OTHERS | ALGORITHMS | ATTRIBUTES | EXTENSIONS
