//! Pages: newest first, each continued by the cursor that the one before it ends with.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Most items of one page.
pub const MAX_PAGE_ITEMS: usize = 500;

/// A page takes no further item from this many bytes of text on.
const MAX_PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Which page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// Most items; at least 1 and at most [`MAX_PAGE_ITEMS`] are given, whatever stands here.
    pub limit: usize,

    /// Where the page before this one ended; absent for the first.
    pub after: Option<Cursor>,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self {
            limit: 50,
            after: None,
        }
    }
}

impl PageRequest {
    /// Most items of this page.
    pub(crate) fn limit(self) -> usize {
        self.limit.clamp(1, MAX_PAGE_ITEMS)
    }

    /// The id before which its items lie.
    pub(crate) fn before(self) -> Option<Uuid> {
        self.after.map(|cursor| cursor.0)
    }
}

/// Some items, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The items. A page of very long texts ends before the limit, so that its size is bounded.
    pub items: Vec<T>,

    /// How to ask for the next page; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Cursor>,
}

/// What pages are made of.
pub(crate) trait Item {
    /// Its id.
    fn id(&self) -> Uuid;
    /// Roughly the memory it takes.
    fn bytes(&self) -> usize;
}

/// Decides how many items make a page. It lets one more through than the page takes, which says that there are more.
#[derive(Debug)]
pub(crate) struct PageBounds {
    limit: usize,
    items: usize,
    bytes: usize,
}

impl PageBounds {
    /// Bounds of a page.
    pub fn new(request: PageRequest) -> Self {
        Self {
            limit: request.limit(),
            items: 0,
            bytes: 0,
        }
    }

    /// Whether the page takes `item`; the first is always taken.
    pub fn takes(&mut self, item: &impl Item) -> bool {
        let takes = self.items < self.limit && self.bytes < MAX_PAGE_BYTES;
        if takes {
            self.items += 1;
            self.bytes += item.bytes();
        }
        takes
    }

    /// The page of what was let through.
    pub fn page<T: Item>(&self, mut items: Vec<T>) -> Page<T> {
        let more = items.len() > self.items;
        items.truncate(self.items);
        let last = items.last().filter(|_| more);
        Page {
            next: last.map(|last| Cursor(last.id())),
            items,
        }
    }
}

/// A place between two items. Clients hand it back as it is; what it is made of may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Cursor(pub(crate) Uuid);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.simple())
    }
}

impl From<Cursor> for String {
    fn from(cursor: Cursor) -> Self {
        cursor.to_string()
    }
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that a page ended with")]
pub struct ParseCursorError;

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::try_parse(text).map(Self).map_err(|_| ParseCursorError)
    }
}

impl TryFrom<String> for Cursor {
    type Error = ParseCursorError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq)]
    struct Text {
        id: Uuid,
        bytes: usize,
    }

    impl Item for Text {
        fn id(&self) -> Uuid {
            self.id
        }

        fn bytes(&self) -> usize {
            self.bytes
        }
    }

    fn texts(bytes: &[usize]) -> Vec<Text> {
        let text = |&bytes| Text {
            id: Uuid::now_v7(),
            bytes,
        };
        bytes.iter().map(text).collect()
    }

    /// The page of as many of `items` as a query with this limit would read.
    fn page(limit: usize, items: &[Text]) -> Page<Text> {
        let mut bounds = PageBounds::new(PageRequest { limit, after: None });
        let mut read = Vec::new();
        for item in items {
            read.push(*item);
            if !bounds.takes(item) {
                break;
            }
        }
        bounds.page(read)
    }

    #[test]
    fn a_page_ends_at_its_limit_and_says_whether_there_are_more() {
        let items = texts(&[1, 1, 1]);
        assert_eq!(page(2, &items).items, items[..2]);
        assert_eq!(page(2, &items).next, Some(Cursor(items[1].id)));
        assert_eq!(page(3, &items).items, items);
        assert_eq!(page(3, &items).next, None);
    }

    #[test]
    fn a_page_of_long_texts_ends_early() {
        let items = texts(&[MAX_PAGE_BYTES - 1, 1, 1]);
        let page = page(50, &items);
        assert_eq!(page.items, items[..2]);
        assert_eq!(page.next, Some(Cursor(items[1].id)));
    }

    #[test]
    fn a_page_holds_at_least_one_item_however_large() {
        let items = texts(&[MAX_PAGE_BYTES * 2, 1]);
        let page = page(0, &items);
        assert_eq!(page.items, items[..1]);
        assert_eq!(page.next, Some(Cursor(items[0].id)));
    }

    #[test]
    fn a_cursor_is_read_back_from_its_text() {
        let cursor = Cursor(Uuid::now_v7());
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }

    #[test]
    fn other_texts_are_no_cursors() {
        for text in ["", "1", "not-a-cursor", "018f\u{0}"] {
            assert_eq!(text.parse::<Cursor>(), Err(ParseCursorError));
        }
    }
}
