using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Google.Protobuf;

namespace BpfRemote.EndToEnd.Attacks;

/// <summary>One HTTP/2 connection written frame by frame, by a client that keeps no rule it does not want to.</summary>
internal sealed class RawHttp2 : IDisposable
{
    public const byte Data = 0;
    public const byte Headers = 1;
    public const byte ResetStream = 3;
    public const byte Settings = 4;
    public const byte GoAway = 7;
    public const byte Continuation = 9;

    public const byte EndStream = 0x1;
    public const byte Acknowledge = 0x1;
    public const byte EndHeaders = 0x4;

    private const int FrameHeaderSize = 9;
    private const ushort InitialWindowSize = 4;
    private const uint Cancel = 8;

    private static readonly byte[] Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray();

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly MemoryStream _out = new();
    private int _nextStream = 1;

    private RawHttp2()
    {
    }

    /// <summary>Connects, and begins with a window for each answer.</summary>
    /// <param name="path">The agent's unix socket.</param>
    /// <param name="window">Bytes that the agent may send on each stream; 0 takes nothing but headers.</param>
    public static RawHttp2 Connect(string path, uint window)
    {
        RawHttp2 connection = new();
        connection._socket.Connect(new UnixDomainSocketEndPoint(path));
        connection._out.Write(Preface);
        byte[] setting = new byte[6];
        BinaryPrimitives.WriteUInt16BigEndian(setting, InitialWindowSize);
        BinaryPrimitives.WriteUInt32BigEndian(setting.AsSpan(2), window);
        connection.AddFrame(Settings, 0, 0, setting);
        connection.AddFrame(Settings, Acknowledge, 0, []);
        return connection;
    }

    /// <summary>Adds a whole call to what is sent next.</summary>
    /// <returns>Its stream.</returns>
    public int AddCall(string method, IMessage request)
    {
        int stream = AddHeaders(method, EndHeaders);
        byte[] message = new byte[5 + request.CalculateSize()];
        BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(1), request.CalculateSize());
        request.WriteTo(message.AsSpan(5));
        AddFrame(Data, EndStream, stream, message);
        return stream;
    }

    /// <summary>Adds the headers of a call, and begins its stream.</summary>
    public int AddHeaders(string method, byte flags)
    {
        int stream = _nextStream;
        _nextStream += 2;
        AddFrame(Headers, flags, stream, Encode(
            (":method", "POST"),
            (":scheme", "http"),
            (":authority", "localhost"),
            (":path", method),
            ("content-type", "application/grpc"),
            ("te", "trailers")));
        return stream;
    }

    /// <summary>Adds the end of a stream before its time.</summary>
    public void AddReset(int stream)
    {
        byte[] code = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(code, Cancel);
        AddFrame(ResetStream, 0, stream, code);
    }

    /// <summary>Adds any frame.</summary>
    public void AddFrame(byte type, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[FrameHeaderSize];
        BinaryPrimitives.WriteInt32BigEndian(header, payload.Length << 8);
        header[3] = type;
        header[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(header[5..], stream);
        _out.Write(header);
        _out.Write(payload);
    }

    /// <summary>Headers as HPACK literals: no table, no Huffman code.</summary>
    public static byte[] Encode(params ReadOnlySpan<(string Name, string Value)> headers)
    {
        MemoryStream block = new();
        foreach ((string name, string value) in headers)
        {
            block.WriteByte(0);
            WriteString(block, name);
            WriteString(block, value);
        }

        return block.ToArray();
    }

    /// <summary>Sends what was added. False where the agent has closed the connection.</summary>
    public async Task<bool> TrySendAsync(CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> bytes = _out.ToArray();
        _out.SetLength(0);
        try
        {
            while (!bytes.IsEmpty)
            {
                bytes = bytes[await _socket.SendAsync(bytes, cancellationToken)..];
            }

            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Reads frames until one fits, acknowledging nothing.</summary>
    /// <returns>The payload; null where the agent closes the connection first.</returns>
    public async Task<byte[]?> ReadUntilAsync(Func<byte, byte, bool> fits, CancellationToken cancellationToken)
    {
        byte[] header = new byte[FrameHeaderSize];
        while (await TryReadAsync(header, cancellationToken))
        {
            byte[] payload = new byte[BinaryPrimitives.ReadInt32BigEndian(header) >>> 8];
            if (!await TryReadAsync(payload, cancellationToken))
            {
                return null;
            }

            if (fits(header[3], header[4]))
            {
                return payload;
            }
        }

        return null;
    }

    /// <summary>Reads until every call has ended, with its connection or by itself.</summary>
    /// <returns>The longest time in which nothing came.</returns>
    public async Task<TimeSpan> ReadUntilCallsEndAsync(CancellationToken cancellationToken)
    {
        TimeSpan silence = TimeSpan.Zero;
        for (int open = _nextStream / 2; open > 0;)
        {
            long start = TimeProvider.System.GetTimestamp();
            bool isEnd = false;
            bool isOpen = await ReadUntilAsync((type, flags) => (isEnd = IsEnd(type, flags)) || type == Headers, cancellationToken) is not null;
            TimeSpan pause = TimeProvider.System.GetElapsedTime(start);
            silence = pause > silence ? pause : silence;
            open = isOpen ? open - (isEnd ? 1 : 0) : 0;
        }

        return silence;
    }

    /// <summary>Whether a frame ends its stream.</summary>
    public static bool IsEnd(byte type, byte flags) =>
        type == ResetStream || (type is Headers or Data && (flags & EndStream) != 0);

    /// <summary>Reads everything until the agent closes the connection.</summary>
    public async Task ReadToEndAsync(CancellationToken cancellationToken) =>
        Assert.Null(await ReadUntilAsync((_, _) => false, cancellationToken));

    public void Dispose() => _socket.Dispose();

    private static void WriteString(MemoryStream block, string text)
    {
        // A length of seven bits, and what is beyond them in groups of seven.
        int rest = text.Length - 127;
        block.WriteByte((byte)Math.Min(text.Length, 127));
        for (; rest >= 0; rest = rest >= 128 ? rest >> 7 : -1)
        {
            block.WriteByte((byte)(rest >= 128 ? (rest & 127) | 128 : rest));
        }

        block.Write(Encoding.ASCII.GetBytes(text));
    }

    private async Task<bool> TryReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            while (!buffer.IsEmpty)
            {
                int read = await _socket.ReceiveAsync(buffer, cancellationToken);
                if (read == 0)
                {
                    return false;
                }

                buffer = buffer[read..];
            }

            return true;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return false;
        }
    }
}
