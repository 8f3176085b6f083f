using BenchmarkDotNet.Attributes;
using BpfRemote.Agent.Tokens;
using BpfRemote.Libbpf;
using Microsoft.Extensions.Logging.Abstractions;

namespace BpfRemote.Benchmarks;

/// <summary>The continuation token of a hash map: sealed for every response, opened once a call.</summary>
public class TokenBenchmarks
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("bpfremote-benchmarks-");
    private readonly TokenSealer _sealer;
    private readonly ScanTicket _ticket = new()
    {
        BootId = Guid.NewGuid(),
        ScanId = 1,
        MapId = 42,
        Shape = 0x0123_4567_89ab_cdef,
        Method = ScanMethod.Buckets,
        Restarts = 0,
        Entries = 500_000,
        Position = new byte[sizeof(uint)],
        Pin = PinReference.To("/sys/fs/bpf/conn_table"),
    };

    private readonly string _token;

    /// <summary>Makes a key.</summary>
    public TokenBenchmarks()
    {
        _sealer = new(new TokenKeyRing(_directory.FullName, TimeProvider.System, NullLogger<TokenKeyRing>.Instance));
        _token = Seal();
    }

    /// <summary>Removes the key.</summary>
    [GlobalCleanup]
    public void RemoveKey() => _directory.Delete(recursive: true);

    /// <summary>Ticket to text.</summary>
    [Benchmark]
    public string Seal()
    {
        Span<byte> payload = stackalloc byte[TokenSealer.MaxPayload];
        return _sealer.Seal(TokenPurpose.Continuation, payload[.._ticket.Write(payload)]);
    }

    /// <summary>Text to ticket.</summary>
    [Benchmark]
    public object? Open()
    {
        Span<byte> payload = stackalloc byte[TokenSealer.MaxPayload];
        _sealer.TryOpen(TokenPurpose.Continuation, _token, payload, out int length);
        return ScanTicket.Read(payload[..length]);
    }
}
