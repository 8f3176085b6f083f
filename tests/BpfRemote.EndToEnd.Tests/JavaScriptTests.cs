using System.Text.Json.Nodes;
using BpfRemote.EndToEnd.Maps;
using BpfRemote.EndToEnd.Programs;
using BpfRemote.Libbpf;

namespace BpfRemote.EndToEnd;

/// <summary>The client in js/, which has nothing of .NET: over the unix socket and over loopback HTTP.</summary>
public sealed class JavaScriptTests
{
    private static readonly string Directory = Path.Combine(AppContext.BaseDirectory, "js");

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_client_made_from_the_protos_alone_lists_pages_and_resumes()
    {
        Require.Kernel();
        string node = Require.Program("node");
        await InstallPackagesAsync(Require.Program("npm"));
        using KnownMap hash = KnownMap.Create(BpfMapType.Hash, 1_000);
        using KnownMap perCpu = KnownMap.Create(BpfMapType.PerCpuArray, 700, valueSize: 16);
        using KnownMap trie = KnownMap.Create(BpfMapType.LpmTrie, 1_000);
        using AgentSite site = new();
        await using AgentProcess agent = await site.StartAgentAsync(Cancelled, plaintext: true);
        string http = await agent.FindPlaintextAddressAsync(Cancelled);

        foreach (string target in (string[])[site.Address, http["http://".Length..]])
        {
            JsonObject input = new()
            {
                ["target"] = target,
                ["protos"] = Require.BuiltPath("Protos"),
                ["pid"] = Environment.ProcessId,
                ["maps"] = new JsonArray(
                    Describe(hash, "hash", "EXACTLY_ONCE"), Describe(perCpu, "percpu_array", "INDEXED"), Describe(trie, "lpm_trie", "EXACTLY_ONCE")),
            };
            string inputPath = Path.Combine(site.DirectoryPath, "input.json");
            await File.WriteAllTextAsync(inputPath, input.ToJsonString(), Cancelled);

            CommandResult tests = await Command.RunAsync(
                node, ["--test", "--test-reporter=tap"], Cancelled, [new("BPFREMOTE_TEST_INPUT", inputPath)], Directory);

            string report = $"{target}\n{tests.Output}\n{tests.Error}";
            Assert.True(tests.ExitCode == 0, report);
            Assert.Contains("\n# fail 0\n", report, StringComparison.Ordinal);
            Assert.Contains("\n# skipped 0\n", report, StringComparison.Ordinal);
            Assert.Contains("hash: one stream gives everything once", report, StringComparison.Ordinal);
        }

        agent.AssertNoFailureLogged();
    }

    /// <summary>Installs what package-lock.json names, once for each of its versions.</summary>
    private static async Task InstallPackagesAsync(string npm)
    {
        FileInfo installed = new(Path.Combine(Directory, "node_modules", ".package-lock.json"));
        if (installed.Exists && installed.LastWriteTimeUtc >= File.GetLastWriteTimeUtc(Path.Combine(Directory, "package-lock.json")))
        {
            return;
        }

        CommandResult install = await Command.RunAsync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], Cancelled, directory: Directory);
        Assert.True(install.ExitCode == 0, install.Error);
    }

    private static JsonObject Describe(KnownMap map, string type, string guarantee)
    {
        JsonObject entries = [];
        for (int i = 0; i < map.Count; i++)
        {
            entries[Convert.ToHexStringLower(map.KeyOf(i))] = Convert.ToHexStringLower(map.ValueOf(i));
        }

        return new()
        {
            ["id"] = map.Map.Id,
            ["name"] = map.Map.Name,
            ["type"] = type,
            ["keySize"] = map.KeyOf(0).Length,
            ["valueStride"] = map.Map.ValueStride,
            ["guarantee"] = guarantee,
            ["entries"] = entries,
        };
    }
}
