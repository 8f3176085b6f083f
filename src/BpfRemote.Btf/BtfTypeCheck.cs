namespace BpfRemote.Btf;

/// <summary>
/// Checks each record by itself, so that who reads it later need not: names and types that it refers to are there, and sizes and
/// offsets are what the kernel too lets pass. What only shows where types are put together is checked by the layout of a value.
/// </summary>
/// <param name="typeCount">Ids below this are types.</param>
/// <param name="nameEnd">Offsets below this are names.</param>
internal readonly struct BtfTypeCheck(uint typeCount, uint nameEnd)
{
    public void Check(uint id, BtfTypeRecord record)
    {
        Name(id, record.NameOffset);
        switch (record.Kind)
        {
            case BtfKind.Int:
                Integer(id, record);
                break;
            case BtfKind.Array:
                Type(id, record.Word(0));
                Type(id, record.Word(1));
                break;
            case BtfKind.Struct or BtfKind.Union:
                Members(id, record);
                break;
            case BtfKind.Enum:
                Enumerators(id, record, words: 2);
                break;
            case BtfKind.Enum64:
                Enumerators(id, record, words: 3);
                break;
            case BtfKind.FuncProto:
                Type(id, record.SizeOrType);
                for (int i = 0; i < record.ItemCount; i++)
                {
                    Name(id, record.Word(i * 2));
                    Type(id, record.Word((i * 2) + 1));
                }

                break;
            case BtfKind.DataSec:
                for (int i = 0; i < record.ItemCount; i++)
                {
                    Type(id, record.Word(i * 3));
                }

                break;
            case BtfKind.Float:
                if (record.SizeOrType is not (2 or 4 or 8 or 12 or 16))
                {
                    throw new BtfFormatException($"Type {id} is a float of {record.SizeOrType} bytes.");
                }

                break;
            case BtfKind.Fwd:
                break;
            default:
                Type(id, record.SizeOrType);
                break;
        }
    }

    private static void Integer(uint id, BtfTypeRecord record)
    {
        uint word = record.Word(0);
        uint bits = word & 0xff;
        uint end = ((word >> 16) & 0xff) + bits;
        if (bits == 0 || record.SizeOrType > 16 || end > record.SizeOrType * 8)
        {
            throw new BtfFormatException($"Type {id} is an integer of {bits} bits up to bit {end} in {record.SizeOrType} bytes.");
        }
    }

    private void Members(uint id, BtfTypeRecord record)
    {
        uint last = 0;
        for (int i = 0; i < record.ItemCount; i++)
        {
            Name(id, record.Word(i * 3));
            Type(id, record.Word((i * 3) + 1));
            uint word = record.Word((i * 3) + 2);
            uint bitOffset = record.KindFlag ? word & 0xff_ffff : word;
            if (bitOffset > (ulong)record.SizeOrType * 8 || (record.Kind == BtfKind.Union && bitOffset != 0))
            {
                throw new BtfFormatException(
                    $"Member {i} of type {id}, a {record.Kind} of {record.SizeOrType} bytes, is at bit {bitOffset}.");
            }

            if (bitOffset < last)
            {
                throw new BtfFormatException($"Member {i} of type {id} is at bit {bitOffset}, before the one it follows, at {last}.");
            }

            last = bitOffset;
        }
    }

    private void Enumerators(uint id, BtfTypeRecord record, int words)
    {
        if (record.SizeOrType is not (1 or 2 or 4 or 8))
        {
            throw new BtfFormatException($"Type {id} is an enumeration of {record.SizeOrType} bytes.");
        }

        for (int i = 0; i < record.ItemCount; i++)
        {
            Name(id, record.Word(i * words));
        }
    }

    private void Name(uint id, uint offset)
    {
        if (offset >= nameEnd)
        {
            throw new BtfFormatException($"Type {id} has a name at {offset}, and the strings end at {nameEnd}.");
        }
    }

    private void Type(uint id, uint referred)
    {
        if (referred >= typeCount)
        {
            throw new BtfFormatException($"Type {id} refers to type {referred}, and there are {typeCount}.");
        }
    }
}
