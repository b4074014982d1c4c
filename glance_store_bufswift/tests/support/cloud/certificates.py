#    Licensed under the Apache License, Version 2.0 (the "License"); you may
#    not use this file except in compliance with the License. You may obtain
#    a copy of the License at
#
#         http://www.apache.org/licenses/LICENSE-2.0
#
#    Unless required by applicable law or agreed to in writing, software
#    distributed under the License is distributed on an "AS IS" BASIS, WITHOUT
#    WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied. See the
#    License for the specific language governing permissions and limitations
#    under the License.

"""The certificates of signed images, for a Glance without a Barbican.

Castellan, through which Glance asks for them, takes any class that has
`get()`: this one finds them as files beside glance-api.conf.
"""

import base64
import datetime
import os
from pathlib import Path
import uuid

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography import x509
from cryptography.x509 import oid


class Certificate:
    """A certificate as castellan's users see it."""

    format = 'X.509'

    def __init__(self, encoded: bytes) -> None:
        self._encoded = encoded

    def get_encoded(self) -> bytes:
        """Return it in DER."""
        return self._encoded


class KeyManager:
    """A backend of castellan."""

    def __init__(self, configuration: object) -> None:
        self._directory = Path(os.environ['OS_GLANCE_CONFIG_DIR'])

    def get(self, context: object, name: str) -> Certificate:
        """Return the certificate of that id.

        :raises OSError: there is none
        """
        return Certificate((self._directory / f'{name}.der').read_bytes())


class Signer:
    """A key whose certificate a Glance can get.

    :param directory: of that Glance's glance-api.conf
    """

    def __init__(self, directory: Path) -> None:
        self._key = ec.generate_private_key(ec.SECP384R1())
        self._name = str(uuid.uuid4())
        name = x509.Name([x509.NameAttribute(oid.NameOID.COMMON_NAME, 'us')])
        now = datetime.datetime.now(datetime.timezone.utc)
        day = datetime.timedelta(days=1)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self._key.public_key())
            .serial_number(1)
            .not_valid_before(now - day)
            .not_valid_after(now + day)
            .sign(self._key, hashes.SHA256())
        )
        (directory / f'{self._name}.der').write_bytes(
            made.public_bytes(serialization.Encoding.DER)
        )

    def properties(self, image: bytes) -> dict[str, str]:
        """Return the properties that make a signed image of these bytes."""
        signature = self._key.sign(image, ec.ECDSA(hashes.SHA256()))
        return {
            'img_signature': base64.b64encode(signature).decode(),
            'img_signature_hash_method': 'SHA-256',
            'img_signature_key_type': 'ECC_SECP384R1',
            'img_signature_certificate_uuid': self._name,
        }
