//! What a row held before it was scored, it holds afterwards.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where it cannot go on"
)]

use std::io::Write;
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use proptest::prelude::*;
use serde_json::Value;
use tempfile::NamedTempFile;
use toxicity_api::TextVerdict;
use toxicity_cli::output::{Document, Look, OutputFormat};
use toxicity_cli::row::ScoredRow;
use toxicity_input::{InputFormat, ReadOptions, RowFailure, Rows, Shape, Source};

fn file(bytes: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    file
}

fn open(path: &Path, options: ReadOptions) -> Rows {
    Rows::open(vec![Source::File(path.to_owned())], options).unwrap()
}

fn options(format: InputFormat, column: Option<&str>) -> ReadOptions {
    ReadOptions {
        format: Some(format),
        column: column.map(str::to_owned),
        no_header: false,
        added: Some("toxicity".to_owned()),
    }
}

fn verdict(text: &str) -> TextVerdict {
    let json = format!(
        r#"{{"flagged": true, "flags": ["a"], "scores": {{"a": 0.75}}, "tokens": {}, "windows": 1}}"#,
        text.len()
    );
    serde_json::from_str(&json).unwrap()
}

fn document(shape: Shape) -> Document {
    Document {
        shape,
        inputs: Vec::new(),
        labels: vec!["a".to_owned()],
        added: "toxicity".to_owned(),
        spans: false,
    }
}

/// All rows, each with a verdict that says how many bytes its text has.
fn scored(rows: Rows, format: OutputFormat) -> Vec<u8> {
    let layout = format.layout(document(rows.shape.clone()), Look::default());
    let mut output = Vec::new();
    layout.begin(&mut output);
    for (index, row) in rows.enumerate() {
        let row = row.unwrap();
        let outcome = match &row.content.failure {
            None => Ok(verdict(&row.content.text)),
            Some(failure) => Err(failure.clone()),
        };
        layout.rows(&[ScoredRow { row, outcome }], index == 0, &mut output);
    }
    layout.end(&mut output);
    output
}

/// Fields with all that is hard about CSV.
fn field() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a\",;\t\r\n \u{1f600}é]{0,12}",
        Just(String::new()),
    ]
}

fn table() -> impl Strategy<Value = Vec<Vec<String>>> {
    (2_usize..5)
        .prop_flat_map(|columns| prop::collection::vec(prop::collection::vec(field(), columns), 0..12))
}

/// Any JSON below the top.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::hash_map(any::<String>(), inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_field_of_a_table_comes_out_as_it_went_in(table in table(), tabs in any::<bool>()) {
        let columns = table.first().map_or(2, Vec::len);
        let (format, delimiter) = if tabs { (InputFormat::Tsv, b'\t') } else { (InputFormat::Csv, b',') };
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
        let header: Vec<String> = (0..columns).map(|column| format!("column \"{column}\"")).collect();
        writer.write_record(&header).unwrap();
        for record in &table {
            writer.write_record(record).unwrap();
        }
        let input = file(&writer.into_inner().unwrap());
        let rows = open(input.path(), options(format, Some("2")));
        let output = scored(rows, OutputFormat::Csv);

        let records: Vec<ByteRecord> = ReaderBuilder::new()
            .has_headers(false)
            .from_reader(output.as_slice())
            .byte_records()
            .collect::<Result<_, _>>()
            .unwrap();
        prop_assert_eq!(records.len(), table.len() + 1);
        for (record, expected) in records.iter().zip(std::iter::once(&header).chain(&table)) {
            let fields: Vec<&[u8]> = record.iter().take(columns).collect();
            prop_assert_eq!(fields, expected.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
        for (number, record) in records.iter().enumerate().skip(1) {
            let number = number.to_string();
            prop_assert_eq!(&record[columns], number.as_bytes());
            prop_assert_eq!(&record[columns + 3], b"0.75");
        }
    }

    #[test]
    fn a_table_becomes_objects_with_its_columns_as_fields(table in table()) {
        let columns = table.first().map_or(2, Vec::len);
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header: Vec<String> = (0..columns).map(|column| format!("c{column}")).collect();
        writer.write_record(&header).unwrap();
        for record in &table {
            writer.write_record(record).unwrap();
        }
        let input = file(&writer.into_inner().unwrap());
        let output = scored(open(input.path(), options(InputFormat::Csv, Some("c1"))), OutputFormat::Json);
        let objects: Vec<Value> = serde_json::from_slice(&output).unwrap();
        prop_assert_eq!(objects.len(), table.len());
        for (object, record) in objects.iter().zip(&table) {
            for (name, value) in header.iter().zip(record) {
                prop_assert_eq!(object[name].as_str(), Some(value.as_str()));
            }
            prop_assert_eq!(object["toxicity"]["tokens"].as_u64(), Some(record[1].len() as u64));
        }
    }

    #[test]
    fn every_field_of_an_object_comes_out_as_it_went_in(
        fields in prop::collection::vec(prop::collection::hash_map("[a-z.\"]{1,6}", json(), 0..5), 0..8),
        text in any::<String>(),
    ) {
        let objects: Vec<Value> = fields
            .into_iter()
            .map(|fields| {
                let mut object: serde_json::Map<String, Value> = fields.into_iter().collect();
                object.insert("A".to_owned(), serde_json::json!({"B": {"C": text}}));
                Value::Object(object)
            })
            .collect();
        let lines = objects.iter().fold(String::new(), |lines, object| format!("{lines}{object} \r\n"));
        let input = file(lines.as_bytes());
        let output = scored(open(input.path(), options(InputFormat::Jsonl, Some("A.B.C"))), OutputFormat::Jsonl);
        let mut written: Vec<Value> = serde_json::Deserializer::from_slice(&output)
            .into_iter()
            .collect::<Result<_, _>>()
            .unwrap();
        for (number, object) in (1_u64..).zip(&mut written) {
            let added = object.as_object_mut().unwrap().remove("toxicity").unwrap();
            prop_assert_eq!(added["tokens"].as_u64(), Some(text.len() as u64));
            prop_assert_eq!(added["row"].as_u64(), Some(number));
        }
        prop_assert_eq!(written, objects);
    }

    #[test]
    fn nothing_that_is_fed_in_makes_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), format in 0_usize..4) {
        let format = [InputFormat::Csv, InputFormat::Tsv, InputFormat::Jsonl, InputFormat::Text][format];
        let input = file(&bytes);
        for output in [OutputFormat::Csv, OutputFormat::Jsonl, OutputFormat::Table] {
            let source = vec![Source::File(input.path().to_owned())];
            let Ok(rows) = Rows::open(source, options(format, None)) else { continue };
            let layout = output.layout(document(rows.shape.clone()), Look { colours: true, width: Some(40) });
            for row in rows.map_while(Result::ok) {
                let outcome = Err(RowFailure("no".to_owned()));
                layout.rows(&[ScoredRow { row, outcome }], true, &mut Vec::new());
            }
        }
    }
}

#[test]
fn numbers_keep_their_digits_and_fields_their_order() {
    let line = r#"{ "z": 1.50, "a": 12345678901234567890123, "text": "hi", "m": 1e2 }"#;
    let input = file(line.as_bytes());
    let output = scored(
        open(input.path(), options(InputFormat::Jsonl, None)),
        OutputFormat::Jsonl,
    );
    let expected = concat!(
        r#"{ "z": 1.50, "a": 12345678901234567890123, "text": "hi", "m": 1e2,"toxicity":{"row":1,"flagged":true,"#,
        r#""flags":["a"],"scores":{"a":0.75},"tokens":2,"windows":1}}"#,
        "\n"
    );
    assert_eq!(String::from_utf8(output).unwrap(), expected);
    let empty = file(b"{}");
    let output = scored(
        open(empty.path(), options(InputFormat::Jsonl, None)),
        OutputFormat::Jsonl,
    );
    assert!(output.starts_with(b"{\"toxicity\":{\"row\":1,\"error\":"));
}

#[test]
fn a_row_of_a_wrong_number_of_fields_moves_no_column() {
    let input = file(b"id,text\n1,good\n2,too,many\n3\n4,good again\n");
    let output = scored(
        open(input.path(), options(InputFormat::Csv, None)),
        OutputFormat::Csv,
    );
    let output = String::from_utf8(output).unwrap();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines[0],
        "id,text,toxicity.row,toxicity.flagged,toxicity.flags,toxicity.a,toxicity.error"
    );
    assert_eq!(lines[1], "1,good,1,true,a,0.75,");
    assert!(
        lines[2].starts_with("2,too,2,,,,the row has 3 fields"),
        "{}",
        lines[2]
    );
    assert!(
        lines[3].starts_with("3,,3,,,,the row has 1 fields"),
        "{}",
        lines[3]
    );
    assert_eq!(lines[4], "4,good again,4,true,a,0.75,");
}

#[test]
fn files_with_and_without_header_and_compressed_ones_are_read_alike() {
    let texts = |rows: Rows| -> Vec<String> { rows.map(|row| row.unwrap().content.text).collect() };
    let plain = "\u{feff}id,body\n1,one\n2,two\n";
    let packed = zstd::encode_all(plain.as_bytes(), 1).unwrap();
    for bytes in [plain.as_bytes(), &packed] {
        assert_eq!(
            texts(open(file(bytes).path(), options(InputFormat::Csv, None))),
            ["one", "two"]
        );
    }
    let headless = ReadOptions {
        no_header: true,
        ..options(InputFormat::Tsv, Some("2"))
    };
    assert_eq!(
        texts(open(file(b"1\tone\n2\ttwo\n").path(), headless)),
        ["one", "two"]
    );
}

#[test]
fn several_files_are_read_one_after_the_other_and_must_be_alike() {
    let (first, second, other) = (
        file(b"text\none\n"),
        file(b"text\ntwo\nthree\n"),
        file(b"text,id\nfour,4\n"),
    );
    let source = |file: &NamedTempFile| Source::File(file.path().to_owned());
    let rows = Rows::open(
        vec![source(&first), source(&second)],
        options(InputFormat::Csv, None),
    )
    .unwrap();
    let read: Vec<_> = rows
        .map(Result::unwrap)
        .map(|row| (row.input, row.number, row.content.text))
        .collect();
    let expected = [(0, 1, "one"), (1, 1, "two"), (1, 2, "three")];
    assert_eq!(
        read,
        expected.map(|(input, number, text)| (input, number, text.to_owned()))
    );
    let error = Rows::open(
        vec![source(&first), source(&other)],
        options(InputFormat::Csv, None),
    );
    assert!(error.err().unwrap().to_string().contains("other columns"));
}

#[test]
fn a_quote_left_open_is_found_before_it_swallows_the_memory() {
    let row = "3,fine\n".repeat(1024 * 1024);
    let input = file(format!("id,text\n1,good\n2,\"open\n{row}{row}{row}").as_bytes());
    let mut rows = open(input.path(), options(InputFormat::Csv, None));
    assert!(rows.next().unwrap().is_ok());
    let error = rows.next().unwrap().unwrap_err();
    let message = toxicity_service::error_chain(&error);
    assert!(
        message.contains("after row 1") && message.contains("quote left open"),
        "{message}"
    );
    assert!(rows.next().is_none());
}
