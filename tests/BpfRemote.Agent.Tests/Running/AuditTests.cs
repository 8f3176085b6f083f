using System.Diagnostics.Metrics;
using System.Text.Json;
using BpfRemote.Agent.Audit;
using BpfRemote.Agent.Tests.Harness;
using BpfRemote.Simulation;
using BpfRemote.V1;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace BpfRemote.Agent.Tests.Running;

/// <summary>What a running agent writes down of its calls.</summary>
public sealed class AuditTests : IDisposable
{
    private const string LookupBatch = "/bpfremote.v1.MapService/LookupBatch";
    private const string Rule = """{ "name": "all but secrets", "principals": ["x509:*"], "rights": ["read"], "maps": [{ "name": "t*" }] }""";

    private const int Many = 20_000;

    private readonly AgentSite _site = new();

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scan_is_admitted_before_its_first_byte_and_its_end_says_what_was_sent()
    {
        SimulatedMap map = _site.AddMap("table", Many, "/sys/fs/bpf/table");
        await using RunningAgent agent = await StartAsync();
        using AgentConnection connection = Connect(agent);
        LookupBatchRequest request = new() { Map = new() { PinnedPath = "/sys/fs/bpf/table" } };

        List<LookupBatchResponse> responses = await connection.ScanAsync(request, _ => Assert.Equal("admitted", Lines()[0]["event"].GetString()));

        (Dictionary<string, JsonElement> admitted, Dictionary<string, JsonElement> ended) = await BothAsync();
        Assert.Equal(["time", "event", "call", "scan", "principal", "peer", "rpc", "map", "decision", "rule"], admitted.Keys);
        Assert.Equal([.. admitted.Keys, "status", "entries", "bytes", "kernel_time_ns"], ended.Keys);
        Assert.Equal("x509:spiffe://example.org/auditor", admitted["principal"].GetString());
        Assert.StartsWith("127.0.0.1:", admitted["peer"].GetString(), StringComparison.Ordinal);
        Assert.Equal(LookupBatch, admitted["rpc"].GetString());
        Assert.Equal(("allow", "all but secrets"), (admitted["decision"].GetString(), admitted["rule"].GetString()));
        Assert.Equal($$"""{"id":{{map.Id}},"name":"table","pin":"/sys/fs/bpf/table"}""", admitted["map"].GetRawText());
        Assert.Equal(_site.Time.GetUtcNow(), admitted["time"].GetDateTimeOffset());
        Assert.All(["call", "scan", "principal", "peer", "rpc", "decision", "rule"], field => Assert.Equal(admitted[field].GetString(), ended[field].GetString()));
        Assert.Equal("OK", ended["status"].GetString());
        Assert.Equal((ulong)Many, ended["entries"].GetUInt64());
        Assert.Equal(responses[^1].Cost.Bytes, ended["bytes"].GetUInt64());
        Assert.Equal((ulong)responses.Sum(response => response.Keys.Length + response.Values.Length), ended["bytes"].GetUInt64());
        Assert.Equal(responses[^1].Cost.KernelTime.ToTimeSpan().TotalNanoseconds, ended["kernel_time_ns"].GetDouble());
    }

    [Fact]
    public async Task A_scan_has_one_name_over_its_calls_and_each_call_its_own()
    {
        _site.AddMap("table", Many);
        await using RunningAgent agent = await StartAsync();
        using AgentConnection connection = Connect(agent);
        LookupBatchRequest request = new() { Map = new() { Name = "table" }, Limit = 1_000 };

        string token = (await connection.ScanAsync(request))[^1].ContinuationToken;
        await connection.ScanAsync(new() { ContinuationToken = token, Limit = 1_000 });
        await connection.ScanAsync(request);

        List<Dictionary<string, JsonElement>> lines = await LinesAsync(6);
        Assert.Equal(3, lines.Select(line => line["call"].GetString()).Distinct().Count());
        string?[] scans = [.. lines.Where(line => line["event"].GetString() == "admitted").Select(line => line["scan"].GetString())];
        Assert.Equal(scans[0], scans[1]);
        Assert.NotEqual(scans[0], scans[2]);
    }

    [Fact]
    public async Task Denials_are_written_and_counted_whatever_the_way()
    {
        _site.AddMap("secret");
        _site.AddMap("table");
        await using RunningAgent agent = await StartAsync();
        List<(string? Rpc, string? Status)> counted = [];
        using MeterListener meters = Listen(agent, counted);
        using AgentConnection connection = Connect(agent);
        using AgentConnection stranger = agent.ConnectUnix();

        await Assert.ThrowsAsync<RpcException>(() => connection.ScanAsync(new() { Map = new() { Name = "secret" } })); // looks absent, and leaves no trace
        await Assert.ThrowsAsync<RpcException>(() => connection.ScanAsync(new() { Map = new() { Id = 1 } }));
        await Assert.ThrowsAsync<RpcException>(() => connection.ScanAsync(new() { Map = new() { Name = "table" }, Pace = Pace.Full }));
        await Assert.ThrowsAsync<RpcException>(stranger.PrincipalAsync);
        await connection.PrincipalAsync();

        List<Dictionary<string, JsonElement>> denied = [.. (await LinesAsync(6)).Where(line => line["event"].GetString() == "denied")];
        Assert.Equal(["NOT_FOUND", "PERMISSION_DENIED", "PERMISSION_DENIED"], denied.Select(line => line["status"].GetString()));
        Assert.All(denied, line => Assert.Equal("deny", line["decision"].GetString()));
        Assert.All(denied, line => Assert.False(line.ContainsKey("rule")));
        Assert.Equal("""{"id":1,"name":"secret"}""", denied[0]["map"].GetRawText());
        Assert.Equal(["NOT_FOUND", "PERMISSION_DENIED", "PERMISSION_DENIED"], counted.Select(count => count.Status));
        Assert.Equal([LookupBatch, LookupBatch, "/bpfremote.v1.NodeService/GetNode"], counted.Select(count => count.Rpc));
    }

    [Fact]
    public async Task Values_keys_and_tokens_are_in_no_line()
    {
        _site.TakeTokens();
        _site.Options.TlsClientCaFile = null;
        SimulatedMap map = _site.AddMap("t");
        byte[] key = "KEYK"u8.ToArray();
        Assert.Equal(BpfRemote.Libbpf.Errno.None, map.Delete(new byte[4]));
        Assert.Equal(BpfRemote.Libbpf.Errno.None, map.Update(key, "VALUEVAL"u8));
        _site.WritePolicy("""{ "rules": [{ "principals": ["jwt:*"], "rights": ["read"], "maps": [{ "name": "t" }] }] }""");
        _site.WriteAudit();
        await using RunningAgent agent = await _site.StartAsync();
        string bearer = _site.Issuer.Issue();
        using AgentConnection connection = agent.ConnectTls(token: bearer);
        using AgentConnection refused = agent.ConnectTls(token: bearer[..^4]);

        string token = Assert.Single(await connection.ScanAsync(new() { Map = new() { Name = "t" }, Limit = 1 })).ContinuationToken;
        await Assert.ThrowsAnyAsync<RpcException>(() => connection.ScanAsync(new() { ContinuationToken = token + "x" }));
        await connection.Maps.LookupElementsAsync(new() { Map = new() { Name = "t" }, Keys = ByteString.CopyFrom(key) }, cancellationToken: Cancelled);
        await Assert.ThrowsAnyAsync<RpcException>(refused.PrincipalAsync);

        await LinesAsync(6);
        string log = ReadLog() + string.Concat(agent.Log.Lines.Select(line => line.Message));
        string[] secrets =
        [
            "KEYK", "VALUEVAL", Convert.ToHexString(key), Convert.ToBase64String(key), Convert.ToBase64String("VALUEVAL"u8),
            .. bearer.Split('.'), .. token.Length > 0 ? (string[])[token] : [],
        ];
        Assert.All(secrets, secret => Assert.DoesNotContain(secret, log, StringComparison.OrdinalIgnoreCase));
    }

    [Theory]
    [InlineData("/dev/full")]
    [InlineData("gone/audit.log")]
    public async Task Where_a_line_is_required_and_cannot_be_written_nothing_is_sent(string path)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "there is no /dev/full");
        _site.AddMap("table", Many);
        WritePolicy(isRequired: true);
        _site.Options.AuditLog = _site.PathOf(path);
        await using RunningAgent agent = await _site.StartAsync();
        using AgentConnection connection = Connect(agent);
        MapSelector map = new() { Name = "table" };

        foreach (Func<Task> call in (Func<Task>[])
        [
            connection.PrincipalAsync,
            connection.ListAsync,
            async () => await connection.Maps.GetMapAsync(new() { Map = map }, cancellationToken: Cancelled),
            async () => await connection.Maps.LookupElementsAsync(new() { Map = map, Keys = ByteString.CopyFrom(new byte[4]) }, cancellationToken: Cancelled),
            () => connection.ScanAsync(new() { Map = map }, _ => Assert.Fail("something was sent")),
        ])
        {
            await AgentConnection.AssertFailsAsync(StatusCode.Unavailable, "AUDIT_FAILED", call);
        }

        Assert.Contains(agent.Log.Lines, line => line.Level == LogLevel.Error && line.Message.StartsWith("The audit log cannot be written", StringComparison.Ordinal));

        // Required no more: the calls are answered, and required again after.
        WritePolicy(isRequired: false);
        agent.Refresh();
        Assert.NotEmpty(await connection.ScanAsync(new() { Map = map }));
    }

    [Fact]
    public async Task A_policy_that_requires_a_log_is_not_taken_by_an_agent_without_one()
    {
        WritePolicy(isRequired: true);
        await Assert.ThrowsAsync<Agent.Hosting.AccessFileException>(_site.StartAsync);

        WritePolicy(isRequired: false);
        await using RunningAgent agent = await _site.StartAsync();
        WritePolicy(isRequired: true);
        agent.Refresh();
        using AgentConnection connection = Connect(agent);
        await connection.PrincipalAsync();
        Assert.Contains(agent.Log.Lines, line => line.Level == LogLevel.Error && line.Message.Contains("give --audit-log", StringComparison.Ordinal));
    }

    public void Dispose() => _site.Dispose();

    private static MeterListener Listen(RunningAgent agent, List<(string? Rpc, string? Status)> counted)
    {
        IMeterFactory factory = agent.Services.GetRequiredService<IMeterFactory>();
        MeterListener listener = new()
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Name == "bpfremote.agent.denied_calls" && instrument.Meter.Name == AuditLog.MeterName && instrument.Meter.Scope == factory)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>((_, count, tags, _) =>
        {
            Assert.Equal(1, count);
            Dictionary<string, object?> byName = new([.. tags]);
            lock (counted)
            {
                counted.Add(((string?)byName["rpc"], (string?)byName["status"]));
            }
        });
        listener.Start();
        return listener;
    }

    private async Task<RunningAgent> StartAsync()
    {
        WritePolicy(isRequired: true);
        _site.WriteAudit();
        return await _site.StartAsync();
    }

    private void WritePolicy(bool isRequired) =>
        _site.WritePolicy($$"""{ "audit": "{{(isRequired ? "required" : "best_effort")}}", "rules": [{{Rule}}] }""");

    private AgentConnection Connect(RunningAgent agent) =>
        agent.ConnectTls(_site.ClientAuthority.Issue(CertificateWish.Client("spiffe://example.org/auditor")));

    private async Task<(Dictionary<string, JsonElement> Admitted, Dictionary<string, JsonElement> Ended)> BothAsync()
    {
        List<Dictionary<string, JsonElement>> lines = await LinesAsync(2);
        Assert.Equal(["admitted", "ended"], lines.Select(line => line["event"].GetString()));
        return (lines[0], lines[1]);
    }

    /// <summary>The lines of calls that are over: the last one may follow the answer.</summary>
    private async Task<List<Dictionary<string, JsonElement>>> LinesAsync(int count)
    {
        while (Lines() is var lines)
        {
            if (lines.Count >= count)
            {
                Assert.Equal(count, lines.Count);
                return lines;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancelled);
        }

        throw new InvalidOperationException();
    }

    private List<Dictionary<string, JsonElement>> Lines() =>
        [.. ReadLog().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(line)!)];

    private string ReadLog()
    {
        using FileStream file = new(_site.AuditPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using StreamReader reader = new(file);
        return reader.ReadToEnd();
    }
}
