using System.Runtime.CompilerServices;
using System.Text;

namespace BpfRemote.Libbpf.Separation;

/// <summary>What a server asks its broker for.</summary>
internal enum BrokerRequest : uint
{
    /// <summary>The smallest map id above <see cref="BrokerMessage.First"/>: answered by Done with the id in First.</summary>
    NextMapId = 1,

    /// <summary>The map of id First, for reading: Done with its file descriptor.</summary>
    OpenMap = 2,

    /// <summary>The BTF object of id First: Done with its file descriptor.</summary>
    OpenBtf = 3,

    /// <summary>The map pinned at the text, for reading: Done with its file descriptor.</summary>
    OpenPin = 4,

    /// <summary>Items of map id and path in the text, then Done.</summary>
    ReadPins = 5,

    /// <summary>Items of map id, pid and comm in the text, then Done with 1 in First where all of /proc could be read.</summary>
    ReadOwners = 6,

    /// <summary>Items of map id, program id, program type, misses in the count and name in the text, then Done.</summary>
    ReadPrograms = 7,
}

/// <summary>How a broker answers.</summary>
internal enum BrokerAnswer : uint
{
    /// <summary>The last message of an answer.</summary>
    Done = 1,

    /// <summary>One of many; more follow.</summary>
    Item = 2,

    /// <summary>The last message too: errno is in <see cref="BrokerMessage.First"/>.</summary>
    Failed = 3,
}

/// <summary>A message between server and broker, both ways of one size. A file descriptor may travel with an answer, beside it.</summary>
internal struct BrokerMessage
{
    /// <summary>A <see cref="BrokerRequest"/> or a <see cref="BrokerAnswer"/>.</summary>
    internal uint Kind;

    internal uint First;
    internal uint Second;
    internal uint Third;
    internal ulong Count;
    private TextBytes _text;

    /// <summary>Text of at most 4,095 bytes of UTF-8, as long as the kernel's paths may be; zero-terminated.</summary>
    /// <exception cref="BpfException">ENAMETOOLONG: the text is longer.</exception>
    internal string Text
    {
        readonly get
        {
            ReadOnlySpan<byte> text = _text;
            int end = text.IndexOf((byte)0);
            return Encoding.UTF8.GetString(end < 0 ? text : text[..end]);
        }

        set
        {
            Span<byte> text = _text;
            if (Encoding.UTF8.GetByteCount(value) >= text.Length)
            {
                throw new BpfException("broker", Errno.ENAMETOOLONG, value);
            }

            text.Clear();
            Encoding.UTF8.GetBytes(value, text);
        }
    }

    [InlineArray(4096)]
    private struct TextBytes
    {
        private byte _first;
    }
}
