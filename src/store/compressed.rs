//! Bodies as they are stored: as they were received, or as one zstd frame.

use std::borrow::Cow;
use std::cell::RefCell;

use rusqlite::{Connection, Result};
use zstd::zstd_safe::{DCtx, get_dict_id_from_frame, get_frame_content_size};

use super::dictionary::Dictionaries;

/// Bytes of the largest body that is expanded: `ingest.body_limit_bytes` may not be greater. A row that claims more is
/// damaged.
const MAX_BYTES: usize = 512 * 1024 * 1024;

thread_local! {
    /// Working memory of this thread, about 100 KB. To allocate it for each body costs more than to expand one.
    static CONTEXT: RefCell<DCtx<'static>> = RefCell::new(DCtx::create());
}

/// SQL expression for the bytes of a body as it was received. The argument is the name of the event's table in the
/// statement. A size beyond [`MAX_BYTES`], which damage has made, does not count: sums of it would overflow.
macro_rules! body_size {
    ($event:literal) => {
        concat!(
            "CASE WHEN ",
            $event,
            ".size BETWEEN 0 AND 536870912 THEN ",
            $event,
            ".size ELSE length(",
            $event,
            ".body) END"
        )
    };
}
pub(in crate::store) use body_size;

/// SQL expression for the column `size` of `event`, in a database of this or an older schema.
pub(in crate::store) fn size_of_event(connection: &Connection) -> Result<&'static str> {
    let count = "SELECT count(*) FROM pragma_table_info('event') WHERE name = 'size'";
    let has_size = connection.query_row(count, [], |row| row.get(0))?;
    Ok(if has_size { "event.size" } else { "NULL" })
}

/// The bytes that were received, from the columns `body` and `size` of an event. `None` if the body does not expand to
/// that size, or names an unknown dictionary. `look_up` is asked for a dictionary that is not known yet.
///
/// Nothing is allocated beyond the size that the column and the frame agree on.
pub(in crate::store) fn expand<'b>(
    body: &'b [u8],
    size: Option<i64>,
    dictionaries: &Dictionaries,
    look_up: impl FnOnce(u32) -> Option<Vec<u8>>,
) -> Option<Cow<'b, [u8]>> {
    let Some(size) = size else {
        return Some(Cow::Borrowed(body));
    };
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size <= MAX_BYTES)?;
    let promised = get_frame_content_size(body).ok()??;
    if promised != size as u64 {
        return None;
    }
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).ok()?;
    let expanded = CONTEXT.with_borrow_mut(|context| match get_dict_id_from_frame(body) {
        None => context.decompress(&mut bytes, body).ok(),
        Some(id) => {
            let dictionary = dictionaries.find(id.get(), look_up)?;
            context
                .decompress_using_ddict(&mut bytes, body, &dictionary)
                .ok()
        }
    });
    (expanded? == size).then_some(Cow::Owned(bytes))
}
