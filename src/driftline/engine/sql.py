"""The SQL of the local engine: which fields are read, what is rejected and why, how payloads become rows."""

from __future__ import annotations

from driftline.engine import cells
from driftline.engine.attributes import OutputAttributes
from driftline.engine.sources import Sources, read_lines
from driftline.stats.vectors import TOLERANCE

LABEL_FIELDS = (
    "{groundTruthData: 'STRUCT(\"data\" VARCHAR, \"encoding\" VARCHAR)', eventMetadata: 'STRUCT(eventId VARCHAR)'}"
)
# Numbers from 0 to 1 that add up to 1, none of them missing; NaN is greater than any number.
IS_DISTRIBUTION = f"""CREATE OR REPLACE TEMP MACRO is_distribution(v, k) AS coalesce(len(v) = k AND list_count(v) = k
    AND list_min(v) >= 0 AND list_max(v) <= 1 AND abs(list_sum(v) - 1) <= {TOLERANCE}, false)"""
# A time in UTC. Without a zone it is cast as it is, which is several times cheaper; a cast to a time without zone takes
# no notice of an offset, so a text that ends in one is cast to a time with zone.
MOMENT = r"""CREATE OR REPLACE TEMP MACRO moment_of(t) AS CASE WHEN ends_with(t, 'Z') THEN try_cast(t AS TIMESTAMP)
    WHEN regexp_matches(t, ':.*[+-]\d\d(?::?\d\d)?\s*$') THEN make_timestamp(epoch_us(try_cast(t AS TIMESTAMPTZ)))
    ELSE try_cast(t AS TIMESTAMP) END"""
MACROS = (
    MOMENT,
    # A body without the newline at its end.
    """CREATE OR REPLACE TEMP MACRO content(body) AS
        CASE WHEN contains(body, chr(10)) OR contains(body, chr(13)) THEN rtrim(body, chr(13) || chr(10)) ELSE body END""",
    # A body of cells with neither quotes nor a line break, not even at its end: nearly all of them are.
    """CREATE OR REPLACE TEMP MACRO is_one_line(body) AS
        NOT contains(body, '"') AND NOT contains(body, chr(10)) AND NOT contains(body, chr(13))""",
    # A body that is one line of cells without quotes.
    """CREATE OR REPLACE TEMP MACRO is_plain(body) AS
        NOT contains(body, '"') AND NOT contains(content(body), chr(10))""",
    r"CREATE OR REPLACE TEMP MACRO body_lines(body) AS regexp_split_to_array(content(body), '\r?\n')",
    # A label as text, one line a row: BASE64 is decoded, a JSON value is taken out of its quotes, an array is rows.
    """CREATE OR REPLACE TEMP MACRO json_lines(body) AS CASE WHEN NOT json_valid(body) THEN body
        WHEN json_type(body) = 'ARRAY' THEN array_to_string(json_extract_string(body, '$[*]'), chr(10))
        ELSE json_extract_string(body, '$') END""",
    """CREATE OR REPLACE TEMP MACRO label_body(body, encoding) AS CASE encoding WHEN 'JSON' THEN json_lines(body)
        WHEN 'BASE64' THEN json_lines(try(decode(from_base64(body)))) ELSE body END""",
    # The lines of a CSV body; a line break inside quotes does not end a line.
    r"""CREATE OR REPLACE TEMP MACRO csv_lines(body) AS CASE WHEN NOT contains(body, '"') THEN body_lines(body)
        ELSE list_transform(regexp_extract_all(content(body) || chr(10), '((?:"[^"]*"|[^\n])*)\n', 1),
                            lambda x: rtrim(x, chr(13))) END""",
    # A cell of a CSV line by number, without its quotes; NULL where the line is too short or the cell empty.
    """CREATE OR REPLACE TEMP MACRO csv_cell(line, i) AS nullif(trim(CASE
        WHEN NOT contains(line, '"') THEN split_part(line, ',', i + 1)
        ELSE replace(regexp_replace(regexp_extract_all(',' || line, ',("(?:[^"]|"")*"|[^,]*)', 1)[i + 1],
                                    '^"(.*)"$', '\\1', 's'), '""', '"') END), '')""",
    # The cells of a CSV line without their quotes; the brackets that some servers put around a list count for nothing.
    r"""CREATE OR REPLACE TEMP MACRO csv_cells(line) AS CASE
        WHEN NOT contains(line, '"') THEN string_split(translate(line, '[]', ''), ',')
        ELSE list_transform(regexp_extract_all(',' || line, ',("(?:[^"]|"")*"|[^,]*)', 1),
            lambda x: translate(replace(regexp_replace(x, '^"(.*)"$', '\1', 's'), '""', '"'), '[]', '')) END""",
    # A list of numbers as text: so many cells from one on, or one cell that holds them all.
    """CREATE OR REPLACE TEMP MACRO listed(cells, i, k) AS '[' || CASE WHEN contains(cells[i + 1], ',')
        THEN cells[i + 1] ELSE array_to_string(cells[i + 1 : i + k], ',') END || ']'""",
    IS_DISTRIBUTION,
    """CREATE OR REPLACE TEMP MACRO as_vectors(found) AS CASE
        WHEN list_count(found) = 0 OR len(list_filter(found, lambda x: starts_with(x, '['))) > 0 THEN found
        ELSE ['[' || array_to_string(list_transform(found, lambda x: coalesce(x, 'NULL')), ',') || ']'] END""",
    # The lists of numbers that a JSON path finds, as texts: one for each list found, or one of the numbers found.
    """CREATE OR REPLACE TEMP MACRO json_vectors(document, path) AS CASE
        WHEN NOT json_valid(document) THEN [NULL]
        WHEN contains(path, '[*]') THEN as_vectors(TRY_CAST(json_extract_string(document, path) AS VARCHAR[]))
        WHEN json_type(document, path) = 'ARRAY'
        THEN as_vectors(TRY_CAST(json_extract_string(document, path || '[*]') AS VARCHAR[]))
        ELSE [CAST(json_extract_string(document, path) AS VARCHAR)] END""",
    # What a JSON path finds, as a list: the elements of an array, or the one value. The casts change
    # nothing where their branch is taken; DuckDB may try them on constants elsewhere, where they must not fail.
    """CREATE OR REPLACE TEMP MACRO json_values(document, path) AS CASE
        WHEN NOT json_valid(document) THEN [NULL]
        WHEN contains(path, '[*]') THEN TRY_CAST(json_extract_string(document, path) AS VARCHAR[])
        WHEN json_type(document, path) = 'ARRAY' THEN TRY_CAST(json_extract_string(document, path || '[*]') AS VARCHAR[])
        ELSE [CAST(json_extract_string(document, path) AS VARCHAR)] END""",
)


def capture_lines(sources: Sources, *, timed: bool, located: bool = False) -> str:
    """The records of captures: join key, hash of the event id, output with its encoding, time if it is wanted."""
    return f"""
    SELECT coalesce(nullif(inference_id, ''), nullif(event_id, '')) AS id,
        CASE WHEN event_id <> '' THEN hash(event_id) END AS event, output AS body, output_encoding AS encoding,
        {"moment" if timed else "NULL AS moment"}{_names(located)}
    FROM {sources.scan(located=located)}"""


# The same of records that were decoded before: the columns of payload.records.WATCHED.
CAPTURE_ROWS = """SELECT id, CASE WHEN event_id IS NOT NULL THEN hash(event_id) END AS event, body, encoding, moment
    FROM decoded"""


def capture_records(source: str, attributes: OutputAttributes, *, timed: bool, located: bool = False) -> str:
    """Every capture record of a ``source``: join key, hash of its event id, its values, and what speaks against it.

    A body that is not one plain CSV line is kept in ``body`` for :func:`expanded`. ``timed`` keeps only records
    whose inference time is in [$start, $end); ``located`` adds the file and the record's place in it.
    Nearly every record is ``sure``: its values are plainly there. Only the others pay for a closer look.
    """
    near, close = cells.looks(attributes, "body"), cells.looks(attributes, "content(body)")
    size = len(attributes.classes)
    return f"""
    SELECT id, event, plain, CASE WHEN NOT plain THEN encoding END AS encoding, fault,
        CASE WHEN sure OR plain THEN score END AS score, CASE WHEN sure OR plain THEN prediction END AS prediction,
        CASE WHEN NOT plain THEN body END AS body,
        CASE WHEN sure THEN NULL WHEN plain THEN {cells.value_fault(close, size)} ELSE fault END AS reason{_names(located)}
    FROM (
        SELECT * EXCLUDE (score, prediction), CASE WHEN sure THEN score WHEN plain THEN {cells.number(close, size)} END AS score,
            CASE WHEN sure THEN prediction WHEN plain THEN {cells.text(close)} END AS prediction
        FROM (
            SELECT *, CASE WHEN sure THEN true
                ELSE coalesce(fault IS NULL AND encoding = 'CSV' AND is_plain(body), false) END AS plain
            FROM (
                SELECT *, CASE
                    WHEN sure THEN NULL
                    WHEN event IS NULL AND id IS NULL AND body IS NULL AND encoding IS NULL THEN 'broken_line'
                    WHEN event IS NULL THEN 'no_event_id'
                    {"WHEN moment IS NULL THEN 'no_time'" if timed else ""}
                    WHEN body IS NULL THEN 'no_output'
                    WHEN encoding IS NULL OR encoding NOT IN ('CSV', 'JSON', 'BASE64') THEN 'unknown_encoding'
                    END AS fault
                FROM (
                    SELECT *, coalesce(event IS NOT NULL AND encoding = 'CSV' AND is_one_line(body)
                        {"AND moment IS NOT NULL" if timed else ""} {cells.both_there(near, size)}, false) AS sure
                    FROM (
                        SELECT *, {cells.number(near, size)} AS score, {cells.text(near)} AS prediction
                        FROM (
                            {source}
                        )
                        {"WHERE moment IS NULL OR event IS NULL OR (moment >= $start AND moment < $end)" if timed else ""}
                    )
                )
            )
        )
    )"""


def label_records(*, located: bool = False) -> str:
    """Every label: its id, its text, whether it is one line, what speaks against it, and the hash of its file's name."""
    place = ", filename, row_number() OVER () AS place" if located else ""
    return f"""
    SELECT id, origin, CASE WHEN sure THEN trim(body) ELSE trim(content(body)) END AS label,
        CASE WHEN sure THEN true ELSE coalesce(is_plain(body), true) END AS plain, CASE WHEN sure THEN NULL
        WHEN absent THEN 'broken_line' WHEN id IS NULL THEN 'no_event_id'
        WHEN body IS NULL OR trim(content(body)) = '' THEN 'no_label' END AS fault{_names(located)}
    FROM (
        SELECT * EXCLUDE (body), CASE WHEN sure THEN body ELSE label_body(body, encoding) END AS body
        FROM (
            SELECT *, coalesce(id IS NOT NULL AND trim(body) <> '' AND is_one_line(body)
                AND encoding IS DISTINCT FROM 'JSON' AND encoding IS DISTINCT FROM 'BASE64', false) AS sure
            FROM (
                SELECT nullif(eventMetadata.eventId, '') AS id, groundTruthData."data" AS body,
                    groundTruthData."encoding" AS encoding,
                    groundTruthData IS NULL AND eventMetadata IS NULL AS absent, hash(filename) AS origin{place}
                FROM {read_lines(LABEL_FIELDS, filename=True)}
            )
        )
    )"""


def expanded(attributes: OutputAttributes) -> str:
    """The rows of the bodies that are not one plain CSV line: several lines, quotes, JSON, BASE64 of any of these."""
    columns, size = cells.columns_of(attributes), len(attributes.classes)
    wide = {name: cells.wide(name, size) for name in columns}
    parts = ", ".join(f"{cells.cell(at, 'part', wide[name])} AS {name}" for name, at in columns.items())
    values = ", ".join(f"{cells.values_in_json(at, name, wide[name])} AS {name}" for name, at in columns.items())
    names = ", ".join(columns)
    return rf"""
    WITH bodies AS (
        SELECT id, event, encoding,
            CASE WHEN encoding = 'BASE64' THEN try(decode(from_base64(body))) ELSE body END AS body
        FROM records WHERE NOT plain AND fault IS NULL
    ), documents AS (
        SELECT *, encoding = 'JSON' OR (encoding = 'BASE64' AND regexp_matches(body, '^\s*[\[{{]')) AS is_json FROM bodies
    ), parts AS (
        SELECT id, event, is_json, unnest(list) AS part, generate_subscripts(list, 1) AS part_number
        FROM (SELECT *, CASE WHEN body IS NULL OR (is_json AND json_valid(body)) THEN [body] WHEN is_json THEN body_lines(body) ELSE csv_lines(body) END AS list
              FROM documents)
    ), found AS (
        SELECT id, event, part_number, 1 AS position, {parts} FROM parts WHERE is_json IS NOT true
        UNION ALL
        SELECT id, event, part_number, position, {names} FROM (
            SELECT id, event, part_number, unnest(range(1, rows + 1)) AS position, {cells.unnested(columns)}
            FROM (SELECT *, greatest({", ".join(f"len({name})" for name in columns)}, 1) AS rows
                  FROM (SELECT id, event, part_number, {values} FROM parts WHERE is_json)))
    )
    SELECT *, {cells.value_fault({name: name for name in columns}, size)} AS reason FROM (
        SELECT id, event, row_number() OVER (PARTITION BY event, id ORDER BY part_number, position) - 1 AS row,
            {cells.typed(attributes)}, {names}
        FROM found)"""


def predictions(*, several: bool) -> str:
    """One row a prediction with its values, or the reason it cannot be used."""
    names = "score, prediction, reason"
    union = f" UNION ALL SELECT id, event, row, {names} FROM expanded_rows" if several else ""
    return f"SELECT id, event, 0 AS row, {names} FROM records WHERE plain OR fault IS NOT NULL{union}"


# Where a record's values are at fault, the fault is known of its rows only: they are found again by their event.
CAPTURE_REASONS = """
    SELECT r.* EXCLUDE (reason), coalesce(r.reason, bad.reason) AS reason FROM ({located}) AS r
    LEFT JOIN (SELECT event, any_value(reason) AS reason FROM predictions WHERE reason IS NOT NULL GROUP BY event) AS bad
        USING (event)"""
LABEL_REASONS = "SELECT *, fault AS reason FROM ({located})"
LABEL_ROWS = """
    SELECT id, unnest(list) AS label, generate_subscripts(list, 1) - 1 AS row, len(list) AS of
    FROM (SELECT id, CASE WHEN plain THEN [label] ELSE list_transform(body_lines(label), lambda x: trim(x, ' "')) END AS list
          FROM labels)"""


def _names(located: bool) -> str:
    return ", filename, place" if located else ""
