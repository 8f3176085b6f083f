using System.Buffers.Text;
using BpfRemote.Client;
using BpfRemote.Kernel.Tests.Harness;
using BpfRemote.Libbpf;
using BpfRemote.V1;
using Grpc.Core;
using static BpfRemote.Client.MapSelectors;

namespace BpfRemote.Kernel.Tests;

/// <summary>What continuation tokens are good for, and what each fault of one gives.</summary>
public abstract class TokenContractTests : AgentTests
{
    /// <summary>Version and key id stand in clear at the start of a token.</summary>
    private const int ClearBytes = 5;

    private readonly string _pins = $"/sys/fs/bpf/kt{Guid.NewGuid().ToString("N")[..8]}";

    [Fact]
    public async Task A_token_with_any_bit_flipped_is_refused()
    {
        using ITestMap map = CreateFilled(100);
        byte[] token = Base64Url.DecodeFromChars(await TokenOf(ById(map.Id)));
        for (int bit = 0; bit < token.Length * 8; bit++)
        {
            byte[] forged = [.. token];
            forged[bit / 8] ^= (byte)(1 << (bit % 8));
            await AssertRefused(
                Base64Url.EncodeToString(forged), bit / 8 < ClearBytes ? ErrorReason.TokenExpired : ErrorReason.TokenInvalid);
        }
    }

    [Fact]
    public async Task A_token_in_another_spelling_or_length_is_refused()
    {
        using ITestMap map = CreateFilled(100);
        string token = await TokenOf(ById(map.Id));
        string[] forged =
        [
            token + "A", token + "=", token + " ", " " + token, token[..^1], token[1..], token + token, "x", "Aé",
            new('A', 1_024), new('A', 1_025), new('A', 60_000),
        ];
        foreach (string spelling in forged)
        {
            BpfRemoteException error = await Assert.ThrowsAnyAsync<BpfRemoteException>(() => Continue(spelling));
            Assert.True(error.Reason is ErrorReason.TokenInvalid or ErrorReason.TokenExpired, $"{error.Reason} for '{spelling}'");
        }

        // The last character of base64 may hold bits that do not count; only the spelling that was given is accepted.
        for (char last = '!'; last < '\x7f'; last++)
        {
            if (token[^1] != last)
            {
                await AssertRefused(token[..^1] + last, ErrorReason.TokenInvalid);
            }
        }
    }

    [Fact]
    public async Task A_token_of_another_map_is_refused()
    {
        using ITestMap map = CreateFilled(100, "kt_scanned");
        using ITestMap other = CreateFilled(100, "kt_other");
        other.Pin($"{_pins}/other");
        string token = await TokenOf(ById(map.Id));
        foreach (MapSelector selector in (MapSelector[])[ById(other.Id), ByName("kt_other"), ByPinnedPath($"{_pins}/other")])
        {
            await AssertRefused(token, ErrorReason.TokenInvalid, selector);
        }

        map.Pin($"{_pins}/scanned");
        foreach (MapSelector? selector in (MapSelector?[])[null, ById(map.Id), ByName("kt_scanned"), ByPinnedPath($"{_pins}/scanned")])
        {
            Assert.NotEmpty(await Continue(token, selector));
        }
    }

    [Fact]
    public async Task A_token_of_a_map_that_is_gone_says_so()
    {
        using ITestMap map = CreateFilled(100);
        string token = await TokenOf(ById(map.Id));
        map.Dispose();
        await AssertRefused(token, ErrorReason.MapReplaced);
    }

    [Fact]
    public async Task A_token_of_a_pin_that_leads_to_another_map_names_that_map()
    {
        using ITestMap map = CreateFilled(100);
        using ITestMap other = CreateFilled(100);
        map.Pin($"{_pins}/moving");
        string token = await TokenOf(ByPinnedPath($"{_pins}/moving"));
        Assert.NotEmpty(await Continue(token, ByPinnedPath($"{_pins}/moving")));
        other.Pin($"{_pins}/moving");
        foreach (MapSelector? selector in (MapSelector?[])[null, ByPinnedPath($"{_pins}/moving"), ById(map.Id)])
        {
            BpfRemoteException error = await AssertRefused(token, ErrorReason.MapReplaced, selector);
            Assert.Equal($"{other.Id}", error.Metadata["new_map_id"]);
        }
    }

    [Fact]
    public async Task A_pin_that_does_not_fit_a_token_binds_it_all_the_same()
    {
        // 4 levels of 250 characters: more than the 1,024 characters of a token hold.
        string path = _pins + string.Concat(Enumerable.Repeat("/" + new string('d', 250), 4));
        using ITestMap map = CreateFilled(100);
        using ITestMap other = CreateFilled(100);
        map.Pin(path);
        string token = await TokenOf(ByPinnedPath(path));
        Assert.InRange(token.Length, 1, 1_024);
        Assert.NotEmpty(await Continue(token));
        other.Pin(path);
        foreach (MapSelector? selector in (MapSelector?[])[null, ByPinnedPath(path)])
        {
            await AssertRefused(token, ErrorReason.MapReplaced, selector);
        }
    }

    [Fact]
    public async Task A_token_works_again_and_with_other_wishes()
    {
        using ITestMap map = CreateFilled(1_000);
        List<MapBatch> whole = await ScanAsync(ById(map.Id), new() { BatchSize = 100, Pace = Pace.Full });
        string token = whole[0].ContinuationToken;
        List<MapBatch> rest = whole[1..];
        for (int again = 0; again < 3; again++)
        {
            Assert.Equal(Keys(rest), Keys(await Continue(token)));
        }

        Assert.Equal(Keys(rest), Keys(await ScanAsync(null, new() { ContinuationToken = token, BatchSize = 7 })));
        Assert.Equal(Keys(rest), Keys(await ScanAsync(null, new() { ContinuationToken = token, Include = Include.Keys })));
        Assert.Equal(
            rest.Sum(batch => batch.Count),
            (await ScanAsync(null, new() { ContinuationToken = token, Include = Include.CountOnly })).Sum(batch => batch.Count));
        List<MapBatch> limited = await ScanAsync(null, new() { ContinuationToken = token, Limit = 50 });
        Assert.Equal(Keys(rest)[..(limited.Sum(batch => batch.Count) * 4)], Keys(limited));
    }

    [Fact]
    public async Task A_token_outlives_the_agent()
    {
        using ITestMap map = CreateFilled(1_000);
        List<MapBatch> whole = await ScanAsync(ById(map.Id), new() { BatchSize = 100, Pace = Pace.Full });
        await using InProcessAgent next = await InProcessAgent.StartAsync(Kernel.Source, RuntimeDirectory);
        List<MapBatch> rest = [];
        await foreach (MapBatch batch in next.Client.Scan(null, new() { ContinuationToken = whole[4].ContinuationToken, Pace = Pace.Full }))
        {
            rest.Add(batch);
        }

        Assert.Equal(Keys(whole[5..]), Keys(rest));
    }

    [Fact]
    public async Task A_token_of_another_key_is_expired()
    {
        using ITestMap map = CreateFilled(100);
        string token = await TokenOf(ById(map.Id));
        using TemporaryDirectory otherDirectory = new();
        await using InProcessAgent other = await InProcessAgent.StartAsync(Kernel.Source, otherDirectory);
        await AssertFails(StatusCode.FailedPrecondition, ErrorReason.TokenExpired, async () =>
            await other.Client.Scan(null, new() { ContinuationToken = token }).GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task A_page_token_is_no_continuation_token()
    {
        using ITestMap map = CreateFilled(1);
        using ITestMap other = CreateFilled(1);
        ListMapsResponse page = await Agent.Maps.ListMapsAsync(
            new() { PageSize = 1 }, cancellationToken: TestContext.Current.CancellationToken);
        await AssertRefused(page.NextPageToken, ErrorReason.TokenInvalid);
    }

    protected ITestMap CreateFilled(int entries, string name = "ktest")
    {
        ITestMap map = Kernel.Create(MapShape.For(BpfMapType.Hash, 4, 8, entries) with { Name = name });
        Fill(map, entries);
        return map;
    }

    /// <summary>The token after the first entries of a map.</summary>
    protected async Task<string> TokenOf(MapSelector map)
    {
        string token = (await ScanAsync(map, new() { Limit = 10 }))[^1].ContinuationToken;
        Assert.NotEmpty(token);
        return token;
    }

    protected Task<BpfRemoteException> AssertRefused(string token, ErrorReason reason, MapSelector? map = null) => AssertFails(
        reason == ErrorReason.TokenInvalid ? StatusCode.InvalidArgument : StatusCode.FailedPrecondition,
        reason,
        () => Continue(token, map));

    private Task<List<MapBatch>> Continue(string token, MapSelector? map = null) =>
        ScanAsync(map, new() { ContinuationToken = token, Pace = Pace.Full });

    private static byte[] Keys(List<MapBatch> batches) => [.. batches.SelectMany(batch => batch.Keys.ToArray())];
}

/// <summary>The contract on the kernel of this machine.</summary>
public sealed class KernelTokenContractTests : TokenContractTests
{
    protected override ITestKernel OpenKernel() => RealKernel.OpenOrSkip();
}

/// <summary>The contract on the simulated kernel.</summary>
public sealed class SimulatedTokenContractTests : TokenContractTests
{
    [Fact]
    public async Task A_token_of_another_boot_is_expired()
    {
        using ITestMap map = CreateFilled(100);
        string token = await TokenOf(ById(map.Id));
        using SimulatedKernel rebooted = new(new() { Seed = 2 });
        await using InProcessAgent agent = await InProcessAgent.StartAsync(rebooted.Source, RuntimeDirectory);
        ITestMap sameId = rebooted.Create(map.Shape);
        Fill(sameId, 100);
        Assert.Equal(map.Id, sameId.Id);
        await AssertFails(StatusCode.FailedPrecondition, ErrorReason.TokenExpired, async () =>
            await agent.Client.Scan(null, new() { ContinuationToken = token }).GetAsyncEnumerator().MoveNextAsync());
    }

    [Fact]
    public async Task An_id_that_names_a_map_of_another_shape_is_replaced()
    {
        using ITestMap map = CreateFilled(100);
        string token = await TokenOf(ById(map.Id));
        using SimulatedKernel wrapped = new();
        await using InProcessAgent agent = await InProcessAgent.StartAsync(wrapped.Source, RuntimeDirectory);
        ITestMap sameId = wrapped.Create(map.Shape with { Name = "another" });
        Assert.Equal(map.Id, sameId.Id);
        await AssertFails(StatusCode.FailedPrecondition, ErrorReason.MapReplaced, async () =>
            await agent.Client.Scan(null, new() { ContinuationToken = token }).GetAsyncEnumerator().MoveNextAsync());
    }

    protected override ITestKernel OpenKernel() => new SimulatedKernel();
}
