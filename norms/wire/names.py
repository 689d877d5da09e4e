"""Names that the web-service standards fix: namespaces, algorithm URIs, qualified names.

Sources: SOAP 1.1 and 1.2, WS-Security 1.0, SAML 2.0 core, XML Signature 1.1, Exclusive XML Canonicalization 1.0.
"""

from __future__ import annotations

from typing import Final

SOAP11: Final = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12: Final = "http://www.w3.org/2003/05/soap-envelope"
WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
SAML: Final = "urn:oasis:names:tc:SAML:2.0:assertion"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"
EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
XML: Final = "http://www.w3.org/XML/1998/namespace"

ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
SENDER_VOUCHES: Final = "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"
X509_SUBJECT_NAME: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:X509SubjectName"
UNSPECIFIED_NAME: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified"
BASIC_ATTRIBUTE: Final = "urn:oasis:names:tc:SAML:2.0:attrname-format:basic"

SECURITY: Final = f"{{{WSSE}}}Security"
TIMESTAMP: Final = f"{{{WSU}}}Timestamp"
CREATED: Final = f"{{{WSU}}}Created"
EXPIRES: Final = f"{{{WSU}}}Expires"
WSU_ID: Final = f"{{{WSU}}}Id"

ASSERTION: Final = f"{{{SAML}}}Assertion"
ISSUER: Final = f"{{{SAML}}}Issuer"
SUBJECT: Final = f"{{{SAML}}}Subject"
NAME_ID: Final = f"{{{SAML}}}NameID"
CONFIRMATION: Final = f"{{{SAML}}}SubjectConfirmation"
CONFIRMATION_DATA: Final = f"{{{SAML}}}SubjectConfirmationData"
CONDITIONS: Final = f"{{{SAML}}}Conditions"
AUDIENCE_RESTRICTION: Final = f"{{{SAML}}}AudienceRestriction"
AUDIENCE: Final = f"{{{SAML}}}Audience"
ONE_TIME_USE: Final = f"{{{SAML}}}OneTimeUse"
AUTHN_STATEMENT: Final = f"{{{SAML}}}AuthnStatement"
ATTRIBUTE_STATEMENT: Final = f"{{{SAML}}}AttributeStatement"
ATTRIBUTE: Final = f"{{{SAML}}}Attribute"
ATTRIBUTE_VALUE: Final = f"{{{SAML}}}AttributeValue"

SIGNATURE: Final = f"{{{DS}}}Signature"
SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
SIGNATURE_VALUE: Final = f"{{{DS}}}SignatureValue"
KEY_INFO: Final = f"{{{DS}}}KeyInfo"
CANONICALIZATION_METHOD: Final = f"{{{DS}}}CanonicalizationMethod"
SIGNATURE_METHOD: Final = f"{{{DS}}}SignatureMethod"
REFERENCE: Final = f"{{{DS}}}Reference"
TRANSFORMS: Final = f"{{{DS}}}Transforms"
TRANSFORM: Final = f"{{{DS}}}Transform"
DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
DIGEST_VALUE: Final = f"{{{DS}}}DigestValue"
X509_DATA: Final = f"{{{DS}}}X509Data"
X509_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"
OBJECT: Final = f"{{{DS}}}Object"
MANIFEST: Final = f"{{{DS}}}Manifest"
INCLUSIVE_NAMESPACES: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"
