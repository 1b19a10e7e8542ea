import ts from 'typescript'

/**
 * Inserts a call of `__edge(n)` wherever the flow of a module forks: functions, branches, loops,
 * cases, and the right sides of `&&`, `||` and `??`. Nothing is moved to another line, so traces
 * still point to the source.
 */
export type Instrumented = {
  text: string
  edges: number
  /** Texts that the module knows: names of fields, words, magic bytes. */
  words: string[]
}

/** A token of a format is no longer than this; longer texts are messages. */
const WORD_LENGTH_MAX = 40

type Insertion = { at: number; text: string; order: number }

export const instrument = (source: string, name: string, firstEdge: number): Instrumented => {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS)
  const work = new Work(firstEdge)
  const visit = (node: ts.Node): void => {
    work.fork(node, file)
    ts.forEachChild(node, visit)
  }
  visit(file)
  return { text: work.applied(source), edges: work.edge - firstEdge, words: [...work.words] }
}

class Work {
  edge: number
  readonly words = new Set<string>()
  readonly #insertions: Insertion[] = []

  constructor(firstEdge: number) {
    this.edge = firstEdge
  }

  fork(node: ts.Node, file: ts.SourceFile): void {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) this.#note(node.text)
    else if (ts.isPropertyAssignment(node)) this.#note(node.name.getText(file))
    else if (ts.isCaseOrDefaultClause(node)) this.#clause(node, file)
    else if (ts.isConditionalExpression(node)) {
      this.#expression(node.whenTrue, file)
      this.#expression(node.whenFalse, file)
    } else if (ts.isBinaryExpression(node) && isForking(node.operatorToken.kind)) {
      this.#expression(node.right, file)
    } else for (const body of bodiesOf(node)) this.#body(body, file)
  }

  applied(source: string): string {
    const sorted = this.#insertions.sort((a, b) => a.at - b.at || a.order - b.order)
    let text = ''
    let from = 0
    for (const { at, text: more } of sorted) {
      text += source.slice(from, at) + more
      from = at
    }
    return text + source.slice(from)
  }

  #note(word: string): void {
    if (word.length > 0 && word.length <= WORD_LENGTH_MAX) this.words.add(word)
  }

  #insert(at: number, text: string, order: number): void {
    this.#insertions.push({ at, text, order })
  }

  #call(): string {
    return `__edge(${this.edge++})`
  }

  #clause(node: ts.CaseOrDefaultClause, file: ts.SourceFile): void {
    const first = node.statements[0]
    if (first !== undefined) this.#insert(first.getStart(file), `${this.#call()};`, 0)
  }

  #body(node: ts.Node, file: ts.SourceFile): void {
    if (!ts.isBlock(node)) {
      if (ts.isExpression(node)) this.#expression(node, file)
      else {
        // Around the statement, and inside of whatever wraps what stands in it.
        this.#insert(node.getStart(file), `{${this.#call()};`, -1)
        this.#insert(node.getEnd(), '}', 1)
      }
      return
    }
    // Directives have to stay first, and inside of a constructor nothing runs before `super`.
    this.#insert(node.getStart(file) + 1, `${this.#call()};`, 0)
  }

  #expression(node: ts.Node, file: ts.SourceFile): void {
    this.#insert(node.getStart(file), `(${this.#call()},`, 0)
    this.#insert(node.getEnd(), ')', 0)
  }
}

const isForking = (kind: ts.SyntaxKind): boolean =>
  kind === ts.SyntaxKind.AmpersandAmpersandToken ||
  kind === ts.SyntaxKind.BarBarToken ||
  kind === ts.SyntaxKind.QuestionQuestionToken

const bodiesOf = (node: ts.Node): ts.Node[] => {
  if (ts.isIfStatement(node)) return [node.thenStatement, node.elseStatement].filter(isPresent)
  if (ts.isIterationStatement(node, false)) return [node.statement]
  if (ts.isCatchClause(node)) return [node.block]
  if (ts.isFunctionLike(node) && 'body' in node && node.body !== undefined) return [node.body]
  return []
}

const isPresent = <Value>(value: Value | undefined): value is Value => value !== undefined
