using System.Buffers.Text;
using System.Text;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.EndToEnd.Fuzzing;

/// <summary>Requests nobody would send, mixed with some that somebody would. The same seed makes the same ones.</summary>
/// <param name="seed">The seed.</param>
/// <param name="mapId">A map that exists, of 4-byte keys.</param>
/// <param name="token">A continuation token of it.</param>
internal sealed class RandomRequests(int seed, uint mapId, string token)
{
    private const string GlobCharacters = "**??[[]]\\!^-/abce2_.\u00e9\ud83d\ude00\0";

    private static readonly uint[] EdgeSizes = [0, 1, 2, 3, 255, 256, 65_535, 65_536, 65_537, int.MaxValue, uint.MaxValue];

    private readonly Random _random = new(seed);

    /// <summary>The next request.</summary>
    public RandomRequest Next() => _random.Next(16) switch
    {
        0 => new(Any(nameof(MapService.MapServiceBase.ListMaps), nameof(MapService.MapServiceBase.GetMap)), Noise()),
        1 => new(Any(nameof(MapService.MapServiceBase.LookupBatch), nameof(MapService.MapServiceBase.GetBtf)), Noise()),
        2 => new(nameof(MapService.MapServiceBase.LookupElements), Noise()),
        3 => Damaged(LookupBatch()),
        4 => Damaged(LookupElements()),
        5 => ListMaps(),
        6 or 7 => GetMap(),
        8 => Of(nameof(MapService.MapServiceBase.GetBtf), new GetBtfRequest { Map = Selector(), Kind = (BtfObjectKind)Edge() }),
        < 12 => LookupElements(),
        _ => LookupBatch(),
    };

    private static RandomRequest Of(string method, IMessage message) => new(method, message.ToByteArray());

    private RandomRequest ListMaps()
    {
        ListMapsRequest request = new() { PageSize = (int)Edge(), PageToken = Token(), NameGlob = Text(GlobCharacters, 40) };
        if (_random.Next(4) == 0)
        {
            request.PinnedPathGlob = Text(GlobCharacters, 40);
        }

        request.Types_.AddRange(Enumerable.Range(0, _random.Next(4)).Select(_ => (MapType)_random.Next(-1, 40)));

        // FULL is rare: it walks all of /proc.
        request.View = _random.Next(200) == 0 ? MapView.Full : _random.Next(4) == 0 ? (MapView)_random.Next(3, 9) : MapView.Basic;
        return Of(nameof(MapService.MapServiceBase.ListMaps), request);
    }

    private RandomRequest GetMap() => Of(
        nameof(MapService.MapServiceBase.GetMap),
        new GetMapRequest { Map = Selector(), View = _random.Next(8) == 0 ? (MapView)Edge() : MapView.Basic });

    private RandomRequest LookupElements() => Of(
        nameof(MapService.MapServiceBase.LookupElements),
        new LookupElementsRequest { Map = Selector(), Keys = ByteString.CopyFrom(Bytes(_random.Next(2) == 0 ? 4 * _random.Next(20) : _random.Next(5_000))) });

    private RandomRequest LookupBatch() => Of(nameof(MapService.MapServiceBase.LookupBatch), new LookupBatchRequest
    {
        Map = _random.Next(4) == 0 ? null : Selector(),
        ContinuationToken = Token(),
        BatchSize = Edge(),
        Limit = _random.Next(2) == 0 ? Edge() : (ulong)_random.NextInt64(),
        Pace = _random.Next(8) == 0 ? (Pace)Edge() : Pace.Full,
        Include = _random.Next(4) == 0 ? (Include)Edge() : (Include)_random.Next(4),
    });

    /// <summary>A request with some of its bytes changed, cut off or put in.</summary>
    private RandomRequest Damaged(RandomRequest request)
    {
        List<byte> message = [.. request.Message];
        for (int i = _random.Next(1, 4); i > 0 && message.Count > 0; i--)
        {
            int at = _random.Next(message.Count);
            switch (_random.Next(3))
            {
                case 0:
                    message[at] = (byte)_random.Next();
                    break;
                case 1:
                    message.RemoveRange(at, message.Count - at);
                    break;
                default:
                    message.InsertRange(at, Bytes(_random.Next(9)));
                    break;
            }
        }

        return request with { Message = [.. message] };
    }

    private MapSelector? Selector() => _random.Next(12) switch
    {
        0 => null,
        1 => new(),
        2 => new() { Id = Edge() },
        3 => new() { Name = Text(GlobCharacters, 20) },
        4 => new() { PinnedPath = "/" + Text(GlobCharacters, 60) },
        5 => new() { PinnedPath = "/sys/fs/bpf/" + Text("/.a", 5_000) },
        _ => new() { Id = mapId },
    };

    private string Token()
    {
        switch (_random.Next(8))
        {
            case < 3:
                return "";
            case 3:
                return token;
            case 4:
                return token[.._random.Next(token.Length)];
            case 5:
                return Base64Url.EncodeToString(Bytes(_random.Next(200)));
            case 6:
                return Text(GlobCharacters, 1_200);
            default:
                StringBuilder changed = new(token);
                changed[_random.Next(changed.Length)] = (char)_random.Next('0', 'z');
                return changed.ToString();
        }
    }

    private byte[] Noise() => Bytes(_random.Next(8) == 0 ? _random.Next(2_000) : _random.Next(24));

    private byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.NextBytes(bytes);
        return bytes;
    }

    private string Text(string characters, int maxLength) => new(_random.GetItems<char>(characters, _random.Next(maxLength)));

    private uint Edge() => _random.Next(4) == 0 ? (uint)_random.Next() : EdgeSizes[_random.Next(EdgeSizes.Length)];

    private string Any(params ReadOnlySpan<string> methods) => methods[_random.Next(methods.Length)];
}

/// <summary>A request as it goes over the wire.</summary>
/// <param name="Method">The method of the map service.</param>
/// <param name="Message">The message, which may be none.</param>
internal sealed record RandomRequest(string Method, byte[] Message);
