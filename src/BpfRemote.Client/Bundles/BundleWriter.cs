using System.IO.Compression;
using System.Text.Json;
using BpfRemote.Agent.Errors;
using BpfRemote.V1;
using Google.Protobuf;

namespace BpfRemote.Client;

/// <summary>Writes a bundle, file after file, and holds no more than one batch of entries.</summary>
internal sealed class BundleWriter(BpfRemoteClient client, ZipArchive zip, BundleOptions options)
{
    private readonly DenyList _deny = new(options.Deny);
    private readonly HashSet<string> _btf = [];
    private ulong _bytes;

    /// <exception cref="BpfRemoteException">The agent cannot be reached, or does not say what it has.</exception>
    public async Task<BundleManifest> WriteAsync(CancellationToken cancellationToken)
    {
        DateTimeOffset created = options.TimeProvider.GetUtcNow();
        Node node = await client.GetNodeAsync(cancellationToken).ConfigureAwait(false);

        // Who made the bundle is nothing of the node's.
        node.Principal = "";
        await WriteJsonAsync(BundleLayout.Node, node, cancellationToken).ConfigureAwait(false);
        List<Map> maps = await client.ListMapsAsync(new() { View = MapView.Full }, cancellationToken)
            .ToListAsync(cancellationToken).ConfigureAwait(false);
        List<BundleMap> written = [];
        foreach (Map map in maps)
        {
            await WriteJsonAsync(BundleLayout.Map(map.Id), map, cancellationToken).ConfigureAwait(false);
            BundleMap done = await WriteMapAsync(map, cancellationToken).ConfigureAwait(false);
            options.OnMap?.Invoke(done);
            written.Add(done);
        }

        BundleManifest manifest = new()
        {
            Format = BundleManifest.CurrentFormat,
            Created = created,
            ClientVersion = typeof(BundleWriter).Assembly.GetName().Version?.ToString(3) ?? "",
            Maps = written,
        };
        Stream file = await CreateAsync(BundleLayout.Manifest, cancellationToken).ConfigureAwait(false);
        await using (file.ConfigureAwait(false))
        {
            await JsonSerializer.SerializeAsync(file, manifest, BundleManifestJson.Default.BundleManifest, cancellationToken)
                .ConfigureAwait(false);
        }

        return manifest;
    }

    private async Task<BundleMap> WriteMapAsync(Map map, CancellationToken cancellationToken)
    {
        BundleMap nothing = new() { Id = map.Id, Name = map.Name, Entries = 0, Bytes = 0, Complete = false };
        if (options.MapIds?.Contains(map.Id) == false)
        {
            return nothing with { Reason = "not chosen" };
        }

        if (_deny.Find(map) is { } pattern)
        {
            return nothing with { Reason = $"its name fits '{pattern}' of the deny list" };
        }

        BundleMap typed = await WriteTypesAsync(nothing, map, cancellationToken).ConfigureAwait(false);
        return options.WithEntries
            ? await WriteEntriesAsync(typed, map, cancellationToken).ConfigureAwait(false)
            : typed with { Reason = "no entries were asked for" };
    }

    private async Task<BundleMap> WriteTypesAsync(BundleMap done, Map map, CancellationToken cancellationToken)
    {
        try
        {
            return done with
            {
                Btf = map.BtfId == 0 ? null
                    : await WriteBtfAsync(map, BtfObjectKind.Map, cancellationToken).ConfigureAwait(false),
                VmlinuxBtf = map.BtfVmlinuxValueTypeId == 0 ? null
                    : await WriteBtfAsync(map, BtfObjectKind.Vmlinux, cancellationToken).ConfigureAwait(false),
            };
        }
        catch (BpfRemoteException error) when (error is not AgentUnreachableException)
        {
            return done with { BtfError = Describe(error) };
        }
    }

    private async Task<string> WriteBtfAsync(Map map, BtfObjectKind kind, CancellationToken cancellationToken)
    {
        BtfObject btf = await client.GetBtfAsync(MapSelectors.ById(map.Id), kind, cancellationToken).ConfigureAwait(false);
        if (_btf.Add(btf.Sha256))
        {
            Stream file = await CreateAsync(BundleLayout.Btf(btf.Sha256), cancellationToken).ConfigureAwait(false);
            await using (file.ConfigureAwait(false))
            {
                await file.WriteAsync(btf.Data, cancellationToken).ConfigureAwait(false);
            }
        }

        return btf.Sha256;
    }

    private async Task<BundleMap> WriteEntriesAsync(BundleMap done, Map map, CancellationToken cancellationToken)
    {
        // One more than fits, so that a map of just as many is seen to be complete.
        ScanOptions scan = new() { Pace = options.Pace, Limit = options.MaxEntriesPerMap + 1, OnResume = options.OnResume };
        Stream? file = null;
        try
        {
            await foreach (MapBatch batch in client.Scan(MapSelectors.ById(map.Id), scan)
                .WithCancellation(cancellationToken).ConfigureAwait(false))
            {
                (int room, string? full) = Room(done, batch.Layout);
                int count = Math.Min(batch.Count, room);
                bool isFirst = file is null;
                file ??= await CreateAsync(BundleLayout.Entries(map.Id), cancellationToken).ConfigureAwait(false);
                ulong bytes = Write(file, batch, count, isFirst);
                _bytes += bytes;
                done = done with
                {
                    Entries = done.Entries + (ulong)count,
                    Bytes = done.Bytes + bytes,
                    Complete = batch.IsComplete && count == batch.Count,
                };
                if (count < batch.Count)
                {
                    return done with { Reason = $"it was stopped by {full}" };
                }
            }

            return done.Complete ? done : done with { Reason = $"it was stopped by {EntriesFull}" };
        }
        catch (BpfRemoteException error) when (error is not AgentUnreachableException)
        {
            return done with { Reason = Describe(error) };
        }
        finally
        {
            if (file is not null)
            {
                await file.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private string EntriesFull => $"the limit of {options.MaxEntriesPerMap} entries of a map";

    // How many more entries there is room for, and what there is not for more.
    private (int Entries, string Full) Room(BundleMap done, Layout layout)
    {
        ulong size = Math.Max(1, (ulong)layout.KeySize + layout.ValueStride);
        (ulong Entries, string Full)[] limits =
        [
            (options.MaxEntriesPerMap - done.Entries, EntriesFull),
            ((options.MaxBytesPerMap - done.Bytes) / size, $"the limit of {options.MaxBytesPerMap} bytes of a map"),
            ((options.MaxTotalBytes - _bytes) / size, $"the limit of {options.MaxTotalBytes} bytes of all maps"),
        ];
        (ulong room, string full) = limits.MinBy(static limit => limit.Entries);
        return ((int)Math.Min(room, int.MaxValue), full);
    }

    private static ulong Write(Stream file, MapBatch batch, int count, bool isFirst)
    {
        LookupBatchResponse message = new()
        {
            Count = (uint)count,
            Keys = UnsafeByteOperations.UnsafeWrap(batch.Keys[..(count * (int)batch.Layout.KeySize)]),
            Values = UnsafeByteOperations.UnsafeWrap(batch.Values[..(count * (int)batch.Layout.ValueStride)]),
            Layout = isFirst ? batch.Layout : null,
            Cost = batch.Cost,
        };
        message.WriteDelimitedTo(file);
        return (ulong)message.Keys.Length + (ulong)message.Values.Length;
    }

    private async Task WriteJsonAsync(string name, IMessage message, CancellationToken cancellationToken)
    {
        Stream file = await CreateAsync(name, cancellationToken).ConfigureAwait(false);
        StreamWriter text = new(file);
        await using (text.ConfigureAwait(false))
        {
            await text.WriteLineAsync(BundleLayout.Formatter.Format(message)).ConfigureAwait(false);
        }
    }

    private Task<Stream> CreateAsync(string name, CancellationToken cancellationToken) =>
        zip.CreateEntry(name, CompressionLevel.Fastest).OpenAsync(cancellationToken);

    private static string Describe(BpfRemoteException error) => error.Reason == ErrorReason.Unspecified
        ? $"the agent answered {error.StatusCode}: {error.Message}"
        : $"the agent answered {ServiceError.NameOf(error.Reason)}: {error.Message}";
}
