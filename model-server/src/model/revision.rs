//! A short name for exactly these files.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Bytes that are read at once: the files of large models need not fit into memory a second time.
const PART_BYTES: usize = 1 << 20;

/// First 12 hexadecimal digits of the SHA-256 over the SHA-256 of each file, in the order given.
///
/// # Errors
/// The file that cannot be read, and why.
pub(super) fn of_files(paths: &[&Path]) -> Result<String, (PathBuf, std::io::Error)> {
    let mut all = Sha256::new();
    for path in paths {
        let digest = of_file(path).map_err(|error| (path.to_path_buf(), error))?;
        all.update(digest);
    }
    let digest = all.finalize();
    Ok(digest[..6]
        .iter()
        .fold(String::new(), |name, byte| name + &format!("{byte:02x}")))
}

fn of_file(path: &Path) -> std::io::Result<impl AsRef<[u8]> + use<>> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut part = vec![0; PART_BYTES];
    loop {
        match file.read(&mut part)? {
            0 => return Ok(hasher.finalize()),
            read => hasher.update(&part[..read]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_on_every_file_and_on_nothing_else() {
        let folder = std::env::temp_dir().join(format!("toxicity-revision-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (first, second) = (folder.join("first"), folder.join("second"));
        std::fs::write(&first, "one").unwrap();
        std::fs::write(&second, "two").unwrap();
        let before = of_files(&[&first, &second]).unwrap();
        assert_eq!(before.len(), 12);
        assert_eq!(before, of_files(&[&first, &second]).unwrap());
        std::fs::write(&second, "three").unwrap();
        assert_ne!(before, of_files(&[&first, &second]).unwrap());
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(of_files(&[&first]).is_err());
    }
}
