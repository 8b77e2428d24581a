//! The formats that rows are read from.

use std::fmt;
use std::path::Path;

use clap::ValueEnum;

/// A format of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// Comma-separated values.
    Csv,
    /// Tab-separated values, quoted like CSV.
    Tsv,
    /// A JSON object per line.
    Jsonl,
    /// A text per line.
    Text,
}

impl InputFormat {
    /// The format that a file's name says, whether or not it also says that the file is compressed.
    pub(super) fn of_name(path: &Path) -> Option<Self> {
        let extension = |path: &Path| {
            path.extension()
                .map(|extension| extension.to_string_lossy().to_ascii_lowercase())
        };
        match extension(path)?.as_str() {
            "gz" | "zst" | "zstd" => Self::of_name(Path::new(path.file_stem()?)),
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "jsonl" | "ndjson" | "json" => Some(Self::Jsonl),
            "txt" | "text" => Some(Self::Text),
            _ => None,
        }
    }

    pub(super) fn is_delimited(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }
}

impl fmt::Display for InputFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Csv => "CSV",
            Self::Tsv => "TSV",
            Self::Jsonl => "JSONL",
            Self::Text => "plain text",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_says_the_format_also_of_compressed_files() {
        let of = |name: &str| InputFormat::of_name(Path::new(name));
        assert_eq!(of("a/comments.CSV"), Some(InputFormat::Csv));
        assert_eq!(of("comments.tsv.gz"), Some(InputFormat::Tsv));
        assert_eq!(of("comments.ndjson.zst"), Some(InputFormat::Jsonl));
        assert_eq!(of("comments.txt"), Some(InputFormat::Text));
        for nothing in ["comments", "comments.gz", ".csv", "comments.parquet"] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
    }
}
