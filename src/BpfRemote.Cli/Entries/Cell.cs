using System.Buffers;
using System.Globalization;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>A key or a value in a row, as two columns: its bytes, and what they mean as far as that can be known.</summary>
internal sealed class Cell
{
    private readonly ValueKind _kind;
    private readonly ByteOrder _order;
    private readonly bool _isNumber;

    /// <param name="title">What the bytes are.</param>
    /// <param name="size">How many there are.</param>
    /// <param name="kind">What is known of their meaning.</param>
    /// <param name="order">The node's byte order.</param>
    public Cell(string title, uint size, ValueKind kind, ByteOrder order)
    {
        _kind = kind;
        _order = order;
        _isNumber = NodeNumber.Fits(size);
        string meaning = kind switch
        {
            ValueKind.MapId => "MAP",
            ValueKind.ProgId => "PROGRAM",
            ValueKind.Devmap => "INTERFACE",
            ValueKind.Cpumap => "QUEUE SIZE",
            ValueKind.SocketCookie => "COOKIE",
            _ => _isNumber ? "NUMBER" : "TEXT",
        };
        Columns = [(title, false), (meaning, _isNumber && kind is not (ValueKind.Devmap or ValueKind.Cpumap))];
        LeastWidth = Math.Max(title.Length, ((int)size * 3) - 1) + AlignedRows.Gap + Math.Max(meaning.Length, _isNumber ? 1 : (int)size);
    }

    /// <summary>The titles, and whether what is under them is a number.</summary>
    public (string Title, bool IsNumber)[] Columns { get; }

    /// <summary>Characters of both columns where numbers are small.</summary>
    public int LeastWidth { get; }

    /// <summary>Adds the bytes and their meaning; nothing to both columns where there are none.</summary>
    public void AddTo(CellRows rows, ReadOnlySpan<byte> bytes)
    {
        HexBytes.WriteSpaced(rows.Text, bytes);
        rows.EndCell();
        if (!bytes.IsEmpty)
        {
            WriteMeaning(rows.Text, bytes);
        }

        rows.EndCell();
    }

    private void WriteMeaning(IBufferWriter<byte> text, ReadOnlySpan<byte> bytes)
    {
        if (!_isNumber)
        {
            Span<byte> room = text.GetSpan(bytes.Length);
            for (int i = 0; i < bytes.Length; i++)
            {
                room[i] = bytes[i] is >= 0x20 and < 0x7f ? bytes[i] : (byte)'.';
            }

            text.Advance(bytes.Length);
        }
        else if (_kind is ValueKind.Devmap or ValueKind.Cpumap && bytes.Length == 2 * sizeof(uint))
        {
            WriteNumber(text, NodeNumber.Read(bytes[..sizeof(uint)], _order));

            // With a program that runs on what is redirected.
            if (NodeNumber.Read(bytes[sizeof(uint)..], _order) is > 0 and var program)
            {
                text.Write(" program "u8);
                WriteNumber(text, program);
            }
        }
        else
        {
            WriteNumber(text, NodeNumber.Read(bytes, _order));
        }
    }

    private static void WriteNumber(IBufferWriter<byte> text, ulong number)
    {
        const int MostDigits = 20;
        number.TryFormat(text.GetSpan(MostDigits), out int written, default, CultureInfo.InvariantCulture);
        text.Advance(written);
    }
}
