import { testMatrix } from './matrix.ts';

testMatrix('nginx');
