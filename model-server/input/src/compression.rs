//! Unpacks compressed inputs, told by their first bytes and not by their name.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::line::peek;

const GZIP: &[u8] = &[0x1f, 0x8b];
/// RFC 8878, section 3.1.1.
const ZSTANDARD: &[u8] = &[0x28, 0xb5, 0x2f, 0xfd];

/// What `reader` holds, unpacked if it is compressed.
pub(super) fn unpack(reader: Box<dyn Read + Send>) -> io::Result<Box<dyn BufRead + Send>> {
    let (head, reader) = peek::<4, _>(BufReader::new(reader))?;
    Ok(if head.starts_with(GZIP) {
        Box::new(BufReader::new(MultiGzDecoder::new(reader)))
    } else if head.starts_with(ZSTANDARD) {
        Box::new(BufReader::new(zstd::Decoder::with_buffer(reader)?))
    } else {
        Box::new(reader)
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn unpacked(bytes: Vec<u8>) -> io::Result<String> {
        let mut text = String::new();
        unpack(Box::new(io::Cursor::new(bytes)))?.read_to_string(&mut text)?;
        Ok(text)
    }

    fn gzipped(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn packed_and_plain_bytes_read_alike() {
        let text = "one\ntwo\n";
        assert_eq!(unpacked(text.into()).unwrap(), text);
        assert_eq!(unpacked(gzipped(text)).unwrap(), text);
        assert_eq!(
            unpacked(zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap(),
            text
        );
        for short in ["", "a", "{}\n"] {
            assert_eq!(unpacked(short.into()).unwrap(), short);
        }
    }

    #[test]
    fn archives_put_one_after_the_other_are_read_to_the_end() {
        let two = [gzipped("one\n"), gzipped("two\n")].concat();
        assert_eq!(unpacked(two).unwrap(), "one\ntwo\n");
        let frames = ["one\n", "two\n"].map(|text| zstd::encode_all(text.as_bytes(), 1).unwrap());
        assert_eq!(unpacked(frames.concat()).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn an_archive_that_breaks_off_is_an_error() {
        let whole = gzipped("a line that is long enough to be cut");
        assert!(unpacked(whole[..whole.len() - 9].to_vec()).is_err());
    }
}
