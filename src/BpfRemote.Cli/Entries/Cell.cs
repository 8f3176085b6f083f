using BpfRemote.Cli.Output;
using BpfRemote.V1;

namespace BpfRemote.Cli.Entries;

/// <summary>A key or a value in a row: its bytes, and what they mean as far as that can be known.</summary>
internal sealed class Cell
{
    private const int Gap = 2;

    private readonly ValueKind _kind;
    private readonly ByteOrder _order;
    private readonly bool _isNumber;
    private readonly int _hexWidth;

    /// <param name="title">What the bytes are.</param>
    /// <param name="size">How many there are.</param>
    /// <param name="kind">What is known of their meaning.</param>
    /// <param name="order">The node's byte order.</param>
    public Cell(string title, uint size, ValueKind kind, ByteOrder order)
    {
        _kind = kind;
        _order = order;
        _isNumber = NodeNumber.Fits(size);
        _hexWidth = Math.Max(title.Length, ((int)size * 3) - 1) + Gap;
        string meaning = kind switch
        {
            ValueKind.MapId => "MAP",
            ValueKind.ProgId => "PROGRAM",
            ValueKind.Devmap => "INTERFACE",
            ValueKind.Cpumap => "QUEUE SIZE",
            ValueKind.SocketCookie => "COOKIE",
            _ => _isNumber ? "NUMBER" : "TEXT",
        };
        int meaningWidth = size switch
        {
            1 => 3,
            2 => 5,
            4 => 10,
            8 => 20,
            _ => (int)size,
        };
        Width = _hexWidth + Math.Max(meaning.Length, meaningWidth) + Gap;
        Title = title.PadRight(_hexWidth) + meaning.PadRight(Width - _hexWidth);
    }

    /// <summary>The columns a padded cell takes.</summary>
    public int Width { get; }

    /// <summary>The title, padded to <see cref="Width"/>.</summary>
    public string Title { get; }

    /// <summary>Writes the bytes and their meaning.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="padded">Whether something follows on the line.</param>
    public void Write(OutputBuffer output, ReadOnlySpan<byte> bytes, bool padded)
    {
        HexBytes.WriteSpaced(output, bytes);
        Span<byte> room = output.Reserve(Width + 64);
        room.Fill((byte)' ');
        int start = _hexWidth - Math.Max(0, (bytes.Length * 3) - 1);
        int end = start + WriteMeaning(room[start..], bytes);
        output.Advance(padded ? Width - _hexWidth + start : end);
    }

    private int WriteMeaning(Span<byte> room, ReadOnlySpan<byte> bytes)
    {
        if (!_isNumber)
        {
            return WriteText(room, bytes);
        }

        if (_kind is ValueKind.Devmap or ValueKind.Cpumap && bytes.Length == 2 * sizeof(uint))
        {
            return WritePair(room, NodeNumber.Read(bytes[..sizeof(uint)], _order), NodeNumber.Read(bytes[sizeof(uint)..], _order));
        }

        NodeNumber.Read(bytes, _order).TryFormat(room, out int written);
        return written;
    }

    // With a program that runs on what is redirected.
    private static int WritePair(Span<byte> room, ulong first, ulong program)
    {
        first.TryFormat(room, out int written);
        if (program == 0)
        {
            return written;
        }

        " program "u8.CopyTo(room[written..]);
        written += " program "u8.Length;
        program.TryFormat(room[written..], out int more);
        return written + more;
    }

    private static int WriteText(Span<byte> room, ReadOnlySpan<byte> bytes)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            room[i] = bytes[i] is >= 0x20 and < 0x7f ? bytes[i] : (byte)'.';
        }

        return bytes.Length;
    }
}
