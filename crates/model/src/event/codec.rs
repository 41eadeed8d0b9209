//! CBOR forms that minicbor does not know by itself.

/// An `EventId`: 16 bytes.
pub(crate) mod id {
    use durward_base::EventId;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub fn encode<C, W: Write>(id: &EventId, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        encoder.bytes(&id.to_bytes())?.ok()
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<EventId, DecodeError> {
        let bytes = decoder.bytes()?.try_into().map_err(|_| DecodeError::message("an event id has 16 bytes"))?;
        Ok(EventId::from_bytes(bytes))
    }
}

/// A `Timestamp`: its milliseconds.
pub(crate) mod timestamp {
    use durward_base::Timestamp;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub fn encode<C, W: Write>(time: &Timestamp, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        encoder.i64(time.millis())?.ok()
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Timestamp, DecodeError> {
        Ok(Timestamp::from_millis(decoder.i64()?))
    }
}

/// An `Option<Timestamp>`: its milliseconds or null.
pub(crate) mod optional_timestamp {
    use durward_base::Timestamp;
    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub fn encode<C, W: Write>(time: &Option<Timestamp>, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        encoder.encode(time.map(Timestamp::millis))?.ok()
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Option<Timestamp>, DecodeError> {
        Ok(decoder.decode::<Option<i64>>()?.map(Timestamp::from_millis))
    }
}

/// An `Arc<str>`: its text.
pub(crate) mod text {
    use std::sync::Arc;

    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub fn encode<C, W: Write>(text: &Arc<str>, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        encoder.str(text)?.ok()
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Arc<str>, DecodeError> {
        Ok(decoder.str()?.into())
    }
}

/// An `Option<Arc<str>>`: its text or null.
pub(crate) mod optional_text {
    use std::sync::Arc;

    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decoder, Encoder};

    pub fn encode<C, W: Write>(text: &Option<Arc<str>>, encoder: &mut Encoder<W>, _: &mut C) -> Result<(), EncodeError<W::Error>> {
        encoder.encode(text.as_deref())?.ok()
    }

    pub fn decode<C>(decoder: &mut Decoder<'_>, _: &mut C) -> Result<Option<Arc<str>>, DecodeError> {
        Ok(decoder.decode::<Option<&str>>()?.map(Into::into))
    }
}

/// An `Option<Arc<T>>`: the value or null.
pub(crate) mod shared {
    use std::sync::Arc;

    use minicbor::decode::Error as DecodeError;
    use minicbor::encode::{Error as EncodeError, Write};
    use minicbor::{Decode, Decoder, Encode, Encoder};

    pub fn encode<C, T: Encode<C>, W: Write>(
        value: &Option<Arc<T>>,
        encoder: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), EncodeError<W::Error>> {
        encoder.encode_with(value.as_deref(), context)?.ok()
    }

    pub fn decode<'b, C, T: Decode<'b, C>>(decoder: &mut Decoder<'b>, context: &mut C) -> Result<Option<Arc<T>>, DecodeError> {
        Ok(decoder.decode_with::<C, Option<T>>(context)?.map(Arc::new))
    }
}
