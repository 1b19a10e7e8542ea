/**
 * Country of a cloud region by its name, for regions that no published intensity covers. AWS names
 * start with a part of the world, Azure names contain a country; the country is the one in which
 * the operator says that the region lies.
 */
const AWS: readonly [RegExp, string][] = [
  [/^us-(gov-)?(east|west)/, 'USA'],
  [/^ca-/, 'CAN'],
  [/^mx-/, 'MEX'],
  [/^sa-east/, 'BRA'],
  [/^eu-west-1$/, 'IRL'],
  [/^eu-west-2$/, 'GBR'],
  [/^eu-west-3$/, 'FRA'],
  [/^eu-central-1$/, 'DEU'],
  [/^eu-central-2$/, 'CHE'],
  [/^eu-north-1$/, 'SWE'],
  [/^eu-south-1$/, 'ITA'],
  [/^eu-south-2$/, 'ESP'],
  [/^ap-northeast-[13]$/, 'JPN'],
  [/^ap-northeast-2$/, 'KOR'],
  [/^ap-southeast-1$/, 'SGP'],
  [/^ap-southeast-[24]$/, 'AUS'],
  [/^ap-southeast-3$/, 'IDN'],
  [/^ap-southeast-5$/, 'MYS'],
  [/^ap-southeast-7$/, 'THA'],
  [/^ap-south-[12]$/, 'IND'],
  [/^ap-east-1$/, 'HKG'],
  [/^ap-east-2$/, 'TWN'],
  [/^me-central-1$/, 'ARE'],
  [/^me-south-1$/, 'BHR'],
  [/^il-/, 'ISR'],
  [/^af-south/, 'ZAF']
]
const AZURE: readonly [RegExp, string][] = [
  [
    /^(us|east ?us|west ?us|central ?us|north ?central ?us|south ?central ?us|west ?central ?us)/,
    'USA'
  ],
  [/canada/, 'CAN'],
  [/brazil/, 'BRA'],
  [/mexico/, 'MEX'],
  [/chile/, 'CHL'],
  [/^north ?europe$/, 'IRL'],
  [/^west ?europe$/, 'NLD'],
  [/uk ?(south|west)/, 'GBR'],
  [/france/, 'FRA'],
  [/germany/, 'DEU'],
  [/switzerland/, 'CHE'],
  [/sweden/, 'SWE'],
  [/norway/, 'NOR'],
  [/poland/, 'POL'],
  [/italy/, 'ITA'],
  [/spain/, 'ESP'],
  [/austria/, 'AUT'],
  [/^east ?asia$/, 'HKG'],
  [/^south ?east ?asia$/, 'SGP'],
  [/japan/, 'JPN'],
  [/korea/, 'KOR'],
  [/australia/, 'AUS'],
  [/india/, 'IND'],
  [/uae/, 'ARE'],
  [/israel/, 'ISR'],
  [/qatar/, 'QAT'],
  [/south ?africa/, 'ZAF']
]

/** ISO alpha-3 country of a region's name, or null. */
export const regionZone = (region: string | null | undefined): string | null => {
  if (region === null || region === undefined) return null
  const name = region.toLowerCase()
  return [...AWS, ...AZURE].find(([pattern]) => pattern.test(name))?.[1] ?? null
}
