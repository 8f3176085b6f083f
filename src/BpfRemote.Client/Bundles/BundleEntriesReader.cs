using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Client;

/// <summary>Reads the entries of a map from a bundle, message after message, each checked against what the bundle says of them.</summary>
internal sealed class BundleEntriesReader(Bundle bundle, Map map) : IDisposable
{
    private const int MaxLengthBytes = 5;

    private readonly BundleFile _file = BundleFile.Open(bundle.Path, BundleLayout.Entries(map.Id));
    private ulong _left = bundle.ContentsOf(map).Entries;

    /// <summary>The shape of the entries; known once the first message is read.</summary>
    public Layout? Layout { get; private set; }

    /// <summary>Reads a message; <see langword="null"/> after the last.</summary>
    /// <exception cref="BundleFormatException">The file is damaged.</exception>
    public LookupBatchResponse? Read()
    {
        if (ReadLength() is not { } length)
        {
            return _left == 0 ? null : throw _file.Damaged($"it ends {_left} entries early");
        }

        byte[] bytes = new byte[length];
        if (_file.Read(bytes) < length)
        {
            throw _file.Damaged("it ends within a message");
        }

        LookupBatchResponse message = Parse(bytes);
        Layout ??= CheckShape(message.Layout);
        if (message.Count > _left
            || (ulong)message.Keys.Length != (ulong)message.Count * Layout.KeySize
            || (ulong)message.Values.Length != (ulong)message.Count * Layout.ValueStride)
        {
            throw _file.Damaged(
                $"a message of {message.Count} entries has {message.Keys.Length} bytes of keys and {message.Values.Length} of values, "
                + $"where {_left} entries of {Layout.KeySize} and {Layout.ValueStride} bytes are left");
        }

        _left -= message.Count;
        return message;
    }

    public void Dispose() => _file.Dispose();

    private int? ReadLength()
    {
        Span<byte> next = stackalloc byte[1];
        ulong length = 0;
        for (int i = 0; i < MaxLengthBytes; i++)
        {
            if (_file.Read(next) == 0)
            {
                return i == 0 ? null : throw _file.Damaged("it ends within the length of a message");
            }

            length |= (ulong)(next[0] & 0x7f) << (7 * i);
            if (next[0] < 0x80)
            {
                return length <= BundleLayout.MaxMessageBytes
                    ? (int)length
                    : throw _file.Damaged($"a message of {length} bytes, where {BundleLayout.MaxMessageBytes} are the most");
            }
        }

        throw _file.Damaged($"the length of a message has more than {MaxLengthBytes} bytes");
    }

    private LookupBatchResponse Parse(byte[] bytes)
    {
        try
        {
            return LookupBatchResponse.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw _file.Damaged($"a message is none: {error.Message}", error);
        }
    }

    private Layout CheckShape(Layout? layout)
    {
        if (layout is null)
        {
            throw _file.Damaged("the first message has no layout");
        }

        // Where the kernel gives no values, none are there.
        uint stride = layout.ValueError.Length > 0 ? 0 : map.ValueStride;
        return layout.MapId == map.Id && layout.KeySize == map.KeySize && layout.ValueStride == stride
            && (layout.ValueKind != ValueKind.PerCpu || IsPerCpu(layout))
                ? layout
                : throw _file.Damaged("its layout is that of another map");
    }

    private static bool IsPerCpu(Layout layout)
    {
        ulong block = ((ulong)layout.ValueSize + 7) / 8 * 8;
        return layout.PossibleCpuIds.Count > 0 && (ulong)layout.PossibleCpuIds.Count * block == layout.ValueStride;
    }
}
