using System.Globalization;
using BpfRemote.Load;

const int UsageError = 2;

CultureInfo numbers = CultureInfo.InvariantCulture;
switch (args)
{
    case ["scan", var agent, var pin, var times]:
        await new ScanLoad(agent, pin).RunOneByOneAsync(int.Parse(times, numbers));
        return 0;
    case ["scans", var agent, var pin, var times, var atOnce]:
        await new ScanLoad(agent, pin).RunAtOnceAsync(int.Parse(times, numbers), int.Parse(atOnce, numbers));
        return 0;
    case ["pages", var agent, var pin, var pages]:
        await new PageLoad(agent, pin).RunAsync(int.Parse(pages, numbers));
        return 0;
    case ["pages-beside-scan", var agent, var pin, var pages, var pagers, var interval]:
        await new PageLoad(agent, pin).RunBesideScanAsync(
            int.Parse(pages, numbers), int.Parse(pagers, numbers), TimeSpan.FromMilliseconds(int.Parse(interval, numbers)));
        return 0;
    case ["start", var agent, var program, .. var arguments]:
        await StartLoad.RunAsync(agent, program, arguments);
        return 0;
    default:
        await Console.Error.WriteLineAsync(
            """
            usage: bpfremote-load scan ADDRESS PIN TIMES                    a line a scan: entries, seconds
                   bpfremote-load scans ADDRESS PIN TIMES AT_ONCE           the same, several at once: entries, seconds in all
                   bpfremote-load pages ADDRESS PIN PAGES                   pages of 100 entries, by token: p50 and p99 in ms
                   bpfremote-load pages-beside-scan ADDRESS PIN PAGES PAGERS INTERVAL_MS
                                                                            of each pager, while one gentle scan of the map runs
                   bpfremote-load start ADDRESS PROGRAM ARGUMENT...         ms from exec of an agent to its first answer
            """);
        return UsageError;
}
