"""Writes a file of places: FILE NETWORK COUNTRY CITY."""

import sys

from mmdb_writer import MMDBWriter
from netaddr import IPSet

file, network, country, city = sys.argv[1:]
writer = MMDBWriter(6, "Durward-Test-City", languages=["en"], ipv4_compatible=True)
writer.insert_network(IPSet([network]), {"country": {"iso_code": country}, "city": {"names": {"en": city}}})
writer.to_db_file(file)
