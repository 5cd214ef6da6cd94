"""The SQL that reads both sides of captured records, says what kind of text each body is, and keeps an event once."""

from __future__ import annotations

from driftline.engine import sql
from driftline.engine.sources import Sources

MACROS = (
    sql.MOMENT,
    # What a body is decoded as, or what speaks against it; NULL where it was not captured.
    r"""CREATE OR REPLACE TEMP MACRO kind_of(body, encoding, decoded) AS CASE WHEN body IS NULL THEN NULL
        WHEN encoding = 'CSV' THEN 'csv' WHEN encoding = 'JSON' THEN 'json'
        WHEN encoding IS DISTINCT FROM 'BASE64' THEN 'unknown_encoding' WHEN decoded IS NULL THEN 'not_text'
        WHEN regexp_matches(decoded, '^\s*[\[{]') THEN 'json'
        WHEN regexp_matches(decoded, '^[^\s,]+(?:[ \t]+\d+:[^\s,]+)+\s*(?:[\r\n]|$)') THEN 'libsvm' ELSE 'csv' END""",
    """CREATE OR REPLACE TEMP MACRO decoded_of(body, encoding) AS
        CASE WHEN encoding = 'BASE64' THEN try(decode(from_base64(body))) END""",
)
KINDS = ("csv", "json")


def record_rows(sources: Sources, *, timed: bool, located: bool = False) -> str:
    """Every record: id, event id, a hash of both, time, the kind and text of each side, how the output was encoded and
    its body where that is another text, and what speaks against the record.

    ``timed`` keeps only records whose inference time is in [$start, $end); ``located`` adds the file and the record's
    place in it.
    """
    names = ", filename, place" if located else ""
    return f"""
    SELECT id, event_id, event, moment, kind_of(input, input_encoding, input_decoded) AS input_kind,
        coalesce(input_decoded, input) AS input, kind_of(output, output_encoding, output_decoded) AS output_kind,
        coalesce(output_decoded, output) AS output, output_encoding,
        CASE WHEN output_decoded IS NOT NULL THEN output END AS output_body,
        CASE WHEN event_id IS NULL AND id IS NULL AND input IS NULL AND output IS NULL THEN 'broken_line'
            WHEN event_id IS NULL THEN 'no_event_id'
            {"WHEN moment IS NULL THEN 'no_time'" if timed else ""}
            WHEN input IS NULL AND output IS NULL THEN 'no_payload' END AS fault{names}
    FROM (
        SELECT *, CASE WHEN event_id IS NOT NULL THEN hash(event_id, id) END AS event,
            decoded_of(input, input_encoding) AS input_decoded,
            decoded_of(output, output_encoding) AS output_decoded
        FROM (
            SELECT coalesce(nullif(inference_id, ''), nullif(event_id, '')) AS id, nullif(event_id, '') AS event_id,
                moment, input, input_encoding, output, output_encoding{names}
            FROM {sources.scan(inputs=True, located=located)}
        )
        {"WHERE moment IS NULL OR event_id IS NULL OR (moment >= $start AND moment < $end)" if timed else ""}
    )"""


ONCE = """CREATE TEMP TABLE once AS SELECT * FROM records QUALIFY event_id IS NULL OR row_number()
    OVER (PARTITION BY event ORDER BY fault NULLS FIRST, input_kind, output_kind, input, output) = 1"""
# What model quality reads of a record, as its own reading of the lines gives it.
WATCHED = """SELECT id, event_id, moment, coalesce(output_body, output) AS body, output_encoding AS encoding
    FROM records"""
SEEN = "CREATE TEMP TABLE seen (event UBIGINT)"
KNOWN = "SELECT count(*) FROM records WHERE event_id IS NOT NULL AND event IN (SELECT event FROM seen)"
FORGET = "DELETE FROM records WHERE event_id IS NOT NULL AND event IN (SELECT event FROM seen)"
REMEMBER = "INSERT INTO seen SELECT event FROM records WHERE fault IS NULL"
FAULTS = "SELECT fault, count(*) FROM records WHERE fault IS NOT NULL GROUP BY ALL"
USABLE = """SELECT id, event_id, event, moment, output_kind, output, input_kind, input FROM records
    WHERE fault IS NULL"""
# A document of JSON takes about four times the memory that so much CSV takes while it is decoded.
JSON_WEIGHT = 4
SIZES = f"""SELECT count(*), coalesce(sum(strlen(input) * if(input_kind = 'json', {JSON_WEIGHT}, 1)), 0)
    + coalesce(sum(strlen(output) * if(output_kind = 'json', {JSON_WEIGHT}, 1)), 0) FROM records"""


def located_faults(sources: Sources, *, timed: bool) -> str:
    """Records that are refused as a whole, for a locator."""
    return f"SELECT fault AS reason, filename, place FROM ({record_rows(sources, timed=timed, located=True)})"


def located_bodies(side: str, sources: Sources, *, timed: bool) -> str:
    """Records of which a side (or ``record``: both together) is in the table ``faulty``, for a locator."""
    return f"""
    SELECT f.reason, r.filename, r.place FROM ({record_rows(sources, timed=timed, located=True)}) AS r
    JOIN (SELECT event, any_value(reason) AS reason FROM faulty WHERE side = '{side}' GROUP BY event) AS f
        USING (event)"""
